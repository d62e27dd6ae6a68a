/** Mounting, unmounting, and knowing what is mounted. */
import { realpathSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { Abortable } from '../abort.js';
import { bytes, type HostPath } from '../bytes.js';
import type { Digest } from '../digest.js';
import type {
  DetachedMount,
  Driver,
  LayerStack,
  MountFlags,
  PrepareOptions,
  SnapshotDirectory,
} from '../driver.js';
import { LayerfsError, codeOf, messageOf, wrapError } from '../errors.js';
import { attachMount, mountIdOf } from '../mount/detached.js';
import { SnapshotStore, upperFeatures, type SnapshotRecord } from '../snapshot/snapshot-store.js';
import { UseStore, type Use } from '../snapshot/use.js';
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW, MNT_DETACH, UMOUNT_NOFOLLOW, statx, umount2 } from '../sys/index.js';
import { Lease } from '../layout/lease.js';
import type { ProgressEvent } from './progress.js';
import { FileLock } from '../fs/lock.js';
import type { StoreParts } from './parts.js';

export interface MountOptions extends MountFlags, Abortable {
  /** A view: nothing can be written, and there is no snapshot. */
  readOnly?: boolean | undefined;
  /** Names the new snapshot, or an existing one that is to be mounted again. */
  snapshot?: string | undefined;
  /** Instead of the store's driver. */
  driver?: string | undefined;
  /** Told of the driver's work before the first mount, where it has any: vfs copies all files. */
  onProgress?: ((event: ProgressEvent) => void) | undefined;
}

export interface MountResult {
  /** null for a view. */
  readonly snapshot: string | null;
  readonly mountpoint: HostPath;
  readonly driver: string;
}

export interface MountInfo extends MountResult {
  /** The image's name when it was mounted. */
  readonly image: string | null;
  /** The process that mounted it; it may be gone. */
  readonly pid: number;
  readonly readOnly: boolean;
  readonly since: string;
  /** Mounted in another mount namespace than this process's. */
  readonly elsewhere: boolean;
}

/** Finds the driver to use; `auto` and names that do not exist are its business. */
export interface DriverSource {
  choose(name?: string): Promise<Driver>;
}

export class Mounts {
  readonly #store: StoreParts;
  readonly #drivers: DriverSource;

  constructor(store: StoreParts, drivers: DriverSource) {
    this.#store = store;
    this.#drivers = drivers;
  }

  /**
   * Shows an image, or a snapshot that exists, at a directory. When it resolves the mount is there; when it rejects
   * nothing is, and a snapshot that was made for it is gone again.
   * @param name may be null where `options.snapshot` exists
   */
  async mount(name: string | null, mountpoint: HostPath, options: MountOptions): Promise<MountResult> {
    const target = checkMountpoint(mountpoint, this.#store.layout.root);
    if (options.snapshot !== undefined) {
      SnapshotStore.checkId(options.snapshot);
      if (options.readOnly === true) throw new TypeError('a view has no snapshot');
    }
    using lease = await Lease.create(this.#store.layout, options);
    const id = options.readOnly === true ? null : (options.snapshot ?? SnapshotStore.newId());
    if (id === null) return await this.#mountView(name, target, options, lease);
    using _lock = await FileLock.acquire(join(this.#store.layout.locks, `snapshot-${id}`), 'exclusive', {
      signal: options.signal,
      removeAfter: true,
    });
    const existing = await this.#store.snapshots.get(id);
    if (existing !== undefined) return await this.#mountAgain(existing, name, target, options, lease);
    return await this.#mountNew(id, name, target, options, lease);
  }

  async #mountView(
    name: string | null,
    target: HostPath,
    options: MountOptions,
    lease: Lease,
  ): Promise<MountResult> {
    const image = await this.#image(name);
    const stack = await this.#stack(image.diffIds, lease, options);
    const driver = await this.#drivers.choose(options.driver);
    await driver.prepare(stack, preparing(options));
    return this.#show(driver, stack, null, image.name, target, options);
  }

  async #mountNew(
    id: string,
    name: string | null,
    target: HostPath,
    options: MountOptions,
    lease: Lease,
  ): Promise<MountResult> {
    if (name === null) {
      throw new LayerfsError(
        'SNAPSHOT_NOT_FOUND',
        `there is no snapshot ${id}: name an image to make it from`,
      );
    }
    const image = await this.#image(name);
    const stack = await this.#stack(image.diffIds, lease, options);
    const driver = await this.#drivers.choose(options.driver);
    await driver.prepare(stack, preparing(options));
    const record: SnapshotRecord = {
      version: 1,
      id,
      created: new Date().toISOString(),
      image: { name: image.name, digest: image.digest },
      diffIds: image.diffIds,
      driver: driver.name,
      form: driver.snapshotForm,
      features: driver.snapshotForm === 'upper' ? upperFeatures : [],
    };
    await this.#store.snapshots.create(record, (snapshot) =>
      driver.createSnapshot(stack, snapshot, preparing(options)),
    );
    try {
      return await this.#show(
        driver,
        stack,
        this.#store.snapshots.directory(id),
        image.name,
        target,
        options,
      );
    } catch (error) {
      await this.#store.snapshots.remove(id);
      throw error;
    }
  }

  async #mountAgain(
    record: SnapshotRecord,
    name: string | null,
    target: HostPath,
    options: MountOptions,
    lease: Lease,
  ): Promise<MountResult> {
    if (name !== null) {
      const image = await this.#image(name);
      if (image.diffIds.join() !== record.diffIds.join()) {
        throw new LayerfsError(
          'NAME_EXISTS',
          `snapshot ${record.id} exists, and was made from another image (${record.image?.name ?? 'unnamed'})`,
          { detail: { snapshot: record.id } },
        );
      }
    }
    const driver = await this.#drivers.choose(options.driver ?? (await this.#lastDriver(record)));
    if (driver.snapshotForm !== record.form) {
      throw new LayerfsError(
        'UNSUPPORTED',
        `snapshot ${record.id} was made by the driver ${record.driver}: the driver ${driver.name} cannot read its form`,
        { detail: { snapshot: record.id, driver: driver.name } },
      );
    }
    await this.requireUnused(record.id, driver);
    const stack = await this.#stack(record.diffIds, lease, options);
    await driver.prepare(stack, preparing(options));
    const snapshot = this.#store.snapshots.directory(record.id);
    return this.#show(driver, stack, snapshot, record.image?.name ?? null, target, options);
  }

  /** The store's driver where it reads the snapshot's form, else the one that made it. */
  async #lastDriver(record: SnapshotRecord): Promise<string> {
    const usual = await this.#drivers.choose();
    return usual.snapshotForm === record.form ? usual.name : record.driver;
  }

  /**
   * Rejects where a snapshot is mounted, in whatever mount namespace. The caller holds the snapshot's lock.
   * @throws LayerfsError IN_USE
   */
  async requireUnused(id: string, driver: Driver): Promise<void> {
    for (const { use, presence } of await this.#store.uses.list()) {
      if (use.snapshot !== id) continue;
      const where = presence === 'elsewhere' ? ' in another mount namespace' : '';
      throw inUse(id, `is mounted at ${use.mountpoint}${where}`);
    }
    if (driver.isMounted(this.#store.snapshots.directory(id))) {
      throw inUse(
        id,
        'is still in use: it was unmounted lazily with files open, or a copy of its mount is in another mount namespace',
      );
    }
  }

  /** Everything that is mounted, in whatever namespace. */
  async list(): Promise<MountInfo[]> {
    return (await this.#store.uses.list()).map(({ use, presence }) => ({
      ...resultOf(use),
      image: use.image,
      pid: use.pid,
      readOnly: use.snapshot === null,
      since: use.since,
      elsewhere: presence === 'elsewhere',
    }));
  }

  /**
   * Unmounts what is at a mount point, or every mount of a snapshot.
   * @throws LayerfsError MOUNT_NOT_FOUND, IN_USE
   */
  async unmount(mountpointOrId: string, options: { lazy?: boolean | undefined }): Promise<MountResult[]> {
    const path = /^[./]/.test(mountpointOrId) ? realPathOf(resolve(mountpointOrId)) : null;
    const uses = await this.#store.uses.list();
    const chosen = uses.filter(({ use }) =>
      path === null ? use.snapshot === mountpointOrId : use.mountpoint === path,
    );
    const here = chosen.filter(({ presence }) => presence === 'here');
    if (here.length === 0) {
      const [other] = chosen;
      throw new LayerfsError(
        'MOUNT_NOT_FOUND',
        other === undefined
          ? `nothing of this store is mounted as ${mountpointOrId} (see "layerfs ps")`
          : `${mountpointOrId} is mounted in another mount namespace (process ${other.use.pid} made it): unmount it there`,
        { detail: { mountpoint: mountpointOrId } },
      );
    }
    // The newest first: it may cover an older one.
    const results = [];
    for (const { use } of here.reverse()) results.push(await this.#unmountOne(use, options));
    return results;
  }

  async unmountAll(options: { lazy?: boolean | undefined }): Promise<MountResult[]> {
    const results = [];
    for (const { use, presence } of (await this.#store.uses.list()).reverse()) {
      if (presence === 'here') results.push(await this.#unmountOne(use, options));
    }
    return results;
  }

  async #unmountOne(use: Use, { lazy }: { lazy?: boolean | undefined }): Promise<MountResult> {
    const path = bytes(use.mountpoint);
    if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW).mountId.toString() !== use.mountId) {
      throw new LayerfsError(
        'IN_USE',
        `${use.mountpoint}: something else is mounted on top; unmount that first`,
        {
          detail: { mountpoint: use.mountpoint },
        },
      );
    }
    try {
      umount2(path, UMOUNT_NOFOLLOW | (lazy === true ? MNT_DETACH : 0));
    } catch (error) {
      if (codeOf(error) !== 'EBUSY') throw wrapError(error, `unmount ${use.mountpoint}`);
      throw new LayerfsError(
        'IN_USE',
        `${use.mountpoint} is busy: a process works in it or has a file of it open (--lazy unmounts it from sight now, and for good when they are done)`,
        { cause: error, detail: { mountpoint: use.mountpoint } },
      );
    }
    // A namespace made from this one may have a copy of the mount, which needs its layers as before.
    await this.#store.uses.drop(use);
    return resultOf(use);
  }

  async #image(name: string | null): Promise<{ name: string; digest: Digest; diffIds: readonly Digest[] }> {
    if (name === null) throw new LayerfsError('REFERENCE_INVALID', 'name an image to mount');
    const image = await this.#store.images.open(name);
    return { name: image.name, digest: image.descriptor.digest, diffIds: image.config.diffIds };
  }

  async #stack(diffIds: readonly Digest[], lease: Lease, options: Abortable): Promise<LayerStack> {
    await lease.hold(diffIds, options);
    return this.#store.chains.stack(diffIds);
  }

  /** The mount is recorded before anybody can see it. */
  async #show(
    driver: Driver,
    stack: LayerStack,
    snapshot: SnapshotDirectory | null,
    image: string | null,
    target: HostPath,
    options: MountOptions,
  ): Promise<MountResult> {
    const useId = UseStore.newId();
    using mount = await driver.mount(stack, snapshot, options, `layerfs:${useId}`);
    const use = await this.#store.uses.add(useId, {
      mountId: mountIdOf(mount.fd).toString(),
      trace: mount.trace,
      mountpoint: target,
      driver: driver.name,
      snapshot: snapshot?.id ?? null,
      image,
      chainId: stack.chainId,
      layers: stack.layers.map(({ id }) => id),
    });
    try {
      attach(mount, target);
    } catch (error) {
      await this.#store.uses.remove(useId);
      throw error;
    }
    return resultOf(use);
  }
}

function preparing({ signal, onProgress }: MountOptions): PrepareOptions {
  return {
    signal,
    onProgress: ({ bytes, entries }) =>
      onProgress?.({ kind: 'phase', phase: 'copy', message: `copied ${entries} entries, ${bytes} bytes` }),
  };
}

function attach(mount: DetachedMount, target: HostPath): void {
  try {
    attachMount(mount, target);
  } catch (error) {
    throw new LayerfsError('MOUNT_FAILED', `mount at ${target}: ${messageOf(error)}`, { cause: error });
  }
}

function resultOf(use: Use): MountResult {
  return { snapshot: use.snapshot, mountpoint: use.mountpoint, driver: use.driver };
}

function inUse(id: string, why: string): LayerfsError {
  return new LayerfsError('IN_USE', `snapshot ${id} ${why}`, { detail: { snapshot: id } });
}

/** The path itself where it does not exist: then it is no mount point of ours, and says so. */
function realPathOf(path: HostPath): HostPath {
  try {
    return realpathSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') throw error;
    return path;
  }
}

/** @throws LayerfsError MOUNTPOINT_MISSING, MOUNTPOINT_BUSY */
function checkMountpoint(mountpoint: HostPath, root: HostPath): HostPath {
  let path: HostPath;
  try {
    path = realpathSync(mountpoint);
    if (!statSync(path).isDirectory()) throw missing(mountpoint, 'is not a directory');
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') throw error;
    throw missing(mountpoint, 'does not exist');
  }
  const detail = { mountpoint: path };
  if (statx(AT_FDCWD, bytes(path), AT_SYMLINK_NOFOLLOW).isMountRoot) {
    throw new LayerfsError('MOUNTPOINT_BUSY', `something is mounted at ${path} already`, { detail });
  }
  const inside = relative(realpathSync(root), path);
  if (inside === '' || !(inside === '..' || inside.startsWith('../'))) {
    throw new LayerfsError('MOUNTPOINT_BUSY', `${path} is part of the store`, { detail });
  }
  return path;
}

function missing(mountpoint: HostPath, why: string): LayerfsError {
  return new LayerfsError('MOUNTPOINT_MISSING', `mount point ${mountpoint} ${why}`, {
    detail: { mountpoint },
  });
}
