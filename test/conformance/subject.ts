/** What the suite is given: a driver by way of a store that uses it. */
import type { HostPath } from '../../lib/bytes.js';
import type { Store, Supports } from '../../index.js';

/** Opens a store at a root, made if need be, that mounts with the driver under test. */
export type OpenStore = (root: HostPath) => Promise<Store>;

export interface Subject {
  /** The driver's name, for reaching it from another process. */
  readonly driver: string;
  readonly supports: Supports;
  readonly open: OpenStore;
}
