/**
 * What a storage driver is. A driver shows a stack of layers; it does not store them (that is the layer store's work,
 * once for all drivers) and it keeps no list of snapshots (that is the snapshot store's).
 *
 * The life of a stack in a driver:
 *
 *     probe → prepare(stack) → mount(stack, null)          a view, read-only
 *                            → mount(stack, snapshot)      a snapshot, writable; again and again
 *                            → usage(snapshot) → remove(snapshot)
 *
 * Laws, tested for every driver by test/conformance:
 * - A view shows exactly what applying the layers one after another to an empty directory gives.
 * - A new snapshot shows what the view shows. What is written to it is there at the next mount, and nowhere else:
 *   neither the layers nor another snapshot ever change.
 * - `mount` leaves nothing behind when it rejects, and nothing but the mount when it resolves.
 * - `prepare` and `remove` may be repeated, and may be cut off at any point: the next call finishes the work.
 * - Drivers with the same `snapshotForm` mount each other's snapshots.
 */
import type { HostPath } from './bytes.js';
import type { Digest } from './digest.js';
import type { MaterializeOptions } from './flat/materialize.js';
import type { Usage } from './fs/usage.js';
import type { LayerForm, LayerStack } from './layer/stack.js';
import type { DetachedMount } from './mount/detached.js';
import type { MountSpec } from './mount/spec.js';
import type { SnapshotDirectory, SnapshotForm } from './snapshot/snapshot.js';

export type { Usage } from './fs/usage.js';
export type { LayerForm, LayerStack, StoredLayer } from './layer/stack.js';
export type { DetachedMount } from './mount/detached.js';
export type { SnapshotDirectory, SnapshotForm } from './snapshot/snapshot.js';

/** Work before a first mount may take long: it can be cancelled, and tells how far it is. */
export type PrepareOptions = MaterializeOptions;

export interface MountFlags {
  /** Skip every sync: what is written may be lost, as a whole, when the machine stops. */
  readonly volatile?: boolean;
  readonly nodev?: boolean;
  readonly nosuid?: boolean;
}

/** Differences between drivers are declared here, and never found out by a driver's name. */
export interface Supports {
  /** Works for an ordinary user. */
  readonly unprivileged: boolean;
  /** Most layers in a stack; null: no bound of the driver's own. */
  readonly maximumLayers: number | null;
  /** rename(2) of a directory that a layer holds works (else EXDEV). */
  readonly renameLowerDirectories: boolean;
  /** The names of a file stay one file when it is changed through one of them. */
  readonly hardlinksAcrossCopyUp: boolean;
  /** st_ino stays when a file of a layer is changed for the first time. */
  readonly stableInodes: boolean;
  /** A file opened for reading shows what is written through another descriptor later, also for a layer's file. */
  readonly readsSeeLaterWrites: boolean;
  /** `volatile` changes anything. */
  readonly volatile: boolean;
}

export type Probe =
  | { readonly available: true; readonly detail: Readonly<Record<string, string | number | boolean>> }
  | { readonly available: false; readonly reason: string };

export interface Driver {
  readonly name: string;
  /** The form of layers that `mount` reads. */
  readonly needs: LayerForm;
  readonly snapshotForm: SnapshotForm;
  readonly supports: Supports;
  /** Whether the driver can work here and, where it cannot, exactly why. Tries it for real; leaves nothing. */
  probe(): Promise<Probe>;
  /** Makes what a stack needs before its first mount, durably. */
  prepare(stack: LayerStack, options?: PrepareOptions): Promise<void>;
  /**
   * Makes what a new snapshot needs in its directory, which nobody else sees yet.
   * @throws LayerfsError NO_SPACE, FILESYSTEM
   */
  createSnapshot(stack: LayerStack, snapshot: SnapshotDirectory, options?: PrepareOptions): Promise<void>;
  /**
   * Mounts a prepared stack, without a place yet: read-only, or with a snapshot to write to.
   * @param label goes into the mount's source where the file system has one, so that mount tables tell whose it is
   * @throws LayerfsError MOUNT_FAILED with the kernel's reason; UNSUPPORTED for a stack that is too deep
   */
  mount(
    stack: LayerStack,
    snapshot: SnapshotDirectory | null,
    flags: MountFlags,
    label: string,
  ): Promise<DetachedMount>;
  /** The same mount as plain data, for a runtime that performs it in its own mount namespace. */
  describe(stack: LayerStack, snapshot: SnapshotDirectory | null, flags: MountFlags): MountSpec[];
  /**
   * True where the kernel itself says that the snapshot is mounted somewhere, in whatever mount namespace; false
   * where it is not, or where the kernel keeps no such record for this driver.
   */
  isMounted(snapshot: SnapshotDirectory): boolean;
  usage(snapshot: SnapshotDirectory): Promise<Usage>;
  /** What `prepare` made for other chains than these: paths that may be deleted. */
  obsolete(wanted: ReadonlySet<Digest>): Promise<HostPath[]>;
}

/** What a driver is given by the store that it works for. */
export interface DriverContext {
  /** A directory of the driver's own in the store; the driver makes it when it first needs it. */
  readonly directory: HostPath;
  /** Runs `work` with an empty directory in the store's file system, which is deleted afterwards. */
  withTemporary<T>(work: (directory: HostPath) => Promise<T>): Promise<T>;
  readonly durable: boolean;
}
