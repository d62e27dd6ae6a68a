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
import type { Abortable } from './abort.js';
import type { HostPath } from './bytes.js';
import type { Digest } from './digest.js';
import type { Meta } from './layer/entry.js';
import type { LayerIndex } from './layer/layer-index.js';
import type { MountSpec } from './mount/spec.js';

/**
 * How a layer is kept: `unpacked`, a directory in the kernel overlayfs upper format; or (a later version) `packed`,
 * the tar as it came.
 */
export type LayerForm = 'unpacked';

/** A complete layer of the store. */
export interface StoredLayer {
  readonly id: string;
  readonly directory: HostPath;
  /** Root of the unpacked form. */
  readonly tree: HostPath;
  /** Reads the layer's index. */
  index(): Promise<LayerIndex>;
}

/** Layers on top of each other, the lowest first. */
export interface LayerStack {
  /** The chainID of the topmost layer; null for a stack without layers. */
  readonly chainId: Digest | null;
  readonly layers: readonly StoredLayer[];
  /** What the stack's root directory looks like. */
  readonly root: Meta;
  /** True where the topmost layer has no entry for the root, so that its own directory may differ from `root`. */
  readonly rootImplied: boolean;
}

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

/**
 * A mount that is nowhere yet. The caller writes its use record and then attaches it; disposing of it without
 * attaching leaves nothing.
 */
export interface DetachedMount extends Disposable {
  /** Descriptor of the mount, for move_mount(2). */
  readonly fd: number;
  /** A text that mount tables show for this mount: part of its source, or the end of its root. */
  readonly trace: string;
}

/** Space a snapshot takes beside its layers. */
export interface Usage {
  /** Bytes of disk, as `st_blocks` counts them. */
  readonly size: number;
  readonly inodes: number;
}

export interface PrepareOptions extends Abortable {
  /** Called now and then with the bytes and entries put in place so far. */
  onProgress?: ((done: { bytes: number; entries: number }) => void) | undefined;
}

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
