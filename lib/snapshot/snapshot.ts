/** Snapshots, as drivers are given them. */
import type { HostPath } from '../bytes.js';

/** Where a snapshot is kept. What is in the directory besides snapshot.json is the driver's. */
export interface SnapshotDirectory {
  readonly id: string;
  readonly directory: HostPath;
}

/**
 * What a snapshot's directory holds: `upper`, an overlayfs upper and work directory; or `copy`, a whole copy.
 * A snapshot is mounted again only by a driver of its form.
 */
export type SnapshotForm = 'upper' | 'copy';
