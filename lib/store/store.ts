/** The store: content, layers, images and snapshots under one root, with the drivers it was given. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { release } from 'node:os';
import { NameStore } from '../content/names.js';
import { ContentStore } from '../content/store.js';
import type { Digest } from '../digest.js';
import type { DriverContext, Supports } from '../driver.js';
import { LayerfsError, codeOf, wrapError } from '../errors.js';
import { parseReference } from '../image/reference.js';
import { ChainStore } from '../layer/chain-store.js';
import { LayerStore } from '../layer/layer-store.js';
import { SnapshotStore } from '../snapshot/snapshot-store.js';
import { UseStore } from '../snapshot/use.js';
import type * as describe from './describe.js';
import type { HistoryInfo, ImageDetail, ImageInfo, StoreUsage } from './describe.js';
import { DriverSet, type DriverTable } from './driver-set.js';
import { ImageCatalog } from './image-catalog.js';
import type { ImportOptions, ImportResult } from './import.js';
import type { ExportOptions, ExportResult } from './export.js';
import { formatVersion, prepareLayout, StoreLayout } from '../layout/layout.js';
import type { ListEntry, ListOptions } from './list.js';
import { FileLock } from '../fs/lock.js';
import { Mounts, type MountInfo, type MountOptions, type MountResult } from './mounts.js';
import { publishNames } from './names.js';
import type { StoreParts } from './parts.js';
import { TemporaryDirectory, sweepTemporaries } from '../layout/temporary.js';

export interface SnapshotInfo {
  readonly id: string;
  readonly image: string | null;
  readonly digest: Digest | null;
  readonly driver: string;
  readonly form: string;
  readonly created: string;
  readonly mountpoints: readonly string[];
  /** Bytes of disk that it takes beside its layers. */
  readonly size: number;
  readonly inodes: number;
}

export interface DriverInfo {
  readonly name: string;
  readonly available: boolean;
  /** Why it cannot work here. */
  readonly reason?: string;
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
  readonly supports: Supports;
}

export interface StoreInfo {
  readonly root: string;
  /** Of layerfs. */
  readonly version: string;
  readonly formatVersion: number;
  readonly drivers: readonly DriverInfo[];
  /** What `auto` picks; null where no driver can work. */
  readonly auto: string | null;
  readonly kernel: string;
  readonly features: Readonly<Record<string, boolean | string | number>>;
  readonly images: number;
  readonly layers: number;
  readonly snapshots: number;
}

export interface StoreOptions {
  readonly root: string;
  /** Whether what has been done survives a loss of power. */
  readonly durable: boolean;
  /** A driver's name, or `auto`. */
  readonly driver: string;
}

/**
 * A store. Several processes, and several objects in one, may use the same store at once. Every method rejects with
 * a LayerfsError (docs/errors.md) and leaves the store as it was then; after `close` they reject with CLOSED.
 */
export class Store implements AsyncDisposable {
  readonly #parts: StoreParts;
  readonly #drivers: DriverSet;
  readonly #mounts: Mounts;
  readonly #session: TemporaryDirectory;
  #closed = false;

  private constructor(parts: StoreParts, drivers: DriverSet, session: TemporaryDirectory) {
    this.#parts = parts;
    this.#drivers = drivers;
    this.#mounts = new Mounts(parts, drivers);
    this.#session = session;
  }

  /**
   * Opens the store at a root, or makes an empty one there. What killed processes and reboots have left is cleaned.
   * @param table the drivers there are; `open` of the package gives its own
   * @throws LayerfsError STORE_VERSION, STORE_INVALID, DRIVER_UNKNOWN, PERMISSION, NO_SPACE, FILESYSTEM
   */
  static async open(
    options: StoreOptions,
    table: (context: (name: string) => DriverContext) => DriverTable,
  ): Promise<Store> {
    const layout = new StoreLayout(options.root, options.durable);
    try {
      await prepareLayout(layout);
      await sweepTemporaries(layout);
      const session = await TemporaryDirectory.create(layout);
      const { durable } = options;
      const drivers = new DriverSet(
        table((name) => ({
          directory: layout.driver(name),
          durable,
          withTemporary: async (work) => {
            await using temporary = await TemporaryDirectory.create(layout);
            return await work(temporary.path);
          },
        })),
        options.driver,
      );
      const writing = { durable, temporaryDirectory: session.path };
      const content = new ContentStore(layout.content, writing);
      await content.init();
      const names = new NameStore(layout.names, writing);
      const layers = new LayerStore(layout.layers);
      const parts: StoreParts = {
        layout,
        content,
        names,
        images: new ImageCatalog(content, names),
        layers,
        chains: new ChainStore(layout.chains, layers, writing),
        snapshots: new SnapshotStore(layout),
        uses: new UseStore(layout.uses, session.path),
      };
      return new Store(parts, drivers, session);
    } catch (error) {
      throw wrapError(error, `open store ${options.root}`, { root: options.root });
    }
  }

  get root(): string {
    return this.#parts.layout.root;
  }

  /**
   * Brings images into the store. An import that fails leaves the layers that were complete for the next try, and
   * no name.
   * @param source `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME:TAG]` or `rootfs:PATH`
   * @param name for the one image chosen; by default each gets the name that the source has for it
   */
  import(source: string, name?: string, options: ImportOptions = {}): Promise<ImportResult[]> {
    return this.#run(`import ${source}`, async () => {
      requireRoot('unpack layers (their files get the owners that the image says)');
      const { importImages } = await import('./import.js');
      return importImages(this.#parts, source, name, options);
    });
  }

  /**
   * Writes an image out: its blobs byte for byte, or as one flattened tree.
   * @param target `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME:TAG]`, `rootfs:DIR` or
   *   `rootfs:FILE.tar`; FILE `-` is standard output
   */
  export(name: string, target: string, options: ExportOptions = {}): Promise<ExportResult> {
    return this.#run(`export ${name}`, async () => {
      const { exportImage } = await import('./export.js');
      return exportImage(this.#parts, name, target, options);
    });
  }

  images(): Promise<ImageInfo[]> {
    return this.#run('list images', async () => (await describing()).listImages(this.#parts));
  }

  /** Gives an image one more name. A name that exists stands for this image from then on. */
  tag(name: string, newName: string): Promise<void> {
    return this.#run(`tag ${name}`, async () => {
      const added = parseReference(newName).name;
      const { target } = await this.#parts.images.find(name);
      await publishNames(this.#parts, (names) => names.set(added, target));
    });
  }

  /**
   * Removes names, and frees at once what nothing else needs. All of them exist, or none is removed.
   * @returns the canonical names, and how many bytes of blobs and layers were freed
   */
  removeImages(names: readonly string[]): Promise<{ removed: string[]; freed: number }> {
    return this.#run('remove images', async () => {
      const removed: string[] = [];
      for (const name of names) removed.push((await this.#parts.images.find(name)).name);
      await publishNames(this.#parts, async (store) => {
        for (const name of removed) await store.delete(name);
      });
      const { collect } = await import('./collect.js');
      const { freed } = await collect(this.#parts, await this.#drivers.all());
      return { removed, freed };
    });
  }

  inspect(name: string): Promise<ImageDetail> {
    return this.#run(`inspect ${name}`, async () => (await describing()).inspectImage(this.#parts, name));
  }

  history(name: string): Promise<HistoryInfo[]> {
    return this.#run(`history of ${name}`, async () => (await describing()).imageHistory(this.#parts, name));
  }

  /** What is in a directory of an image. Nothing is mounted for it. */
  async *ls(name: string, path = '', options: ListOptions = {}): AsyncGenerator<ListEntry> {
    this.#requireOpen();
    try {
      const { list } = await import('./list.js');
      yield* list(this.#parts, name, path, options);
    } catch (error) {
      throw wrapError(error, `list ${name}`);
    }
  }

  /**
   * Shows an image at an existing directory: as a writable snapshot, or with `readOnly` as a view. The mount stays
   * when the store is closed and the process ends.
   * @param name may be null where `options.snapshot` names a snapshot that exists
   */
  mount(name: string | null, mountpoint: string, options: MountOptions = {}): Promise<MountResult> {
    return this.#run(`mount ${name ?? options.snapshot ?? ''}`, () =>
      this.#mounts.mount(name, mountpoint, options),
    );
  }

  /**
   * Unmounts what is at a mount point, or every mount of a snapshot in this mount namespace. Snapshots stay.
   * @param options.lazy out of sight at once, for good when the last file is closed
   */
  unmount(mountpointOrId: string, options: { lazy?: boolean | undefined } = {}): Promise<MountResult[]> {
    return this.#run(`unmount ${mountpointOrId}`, () => this.#mounts.unmount(mountpointOrId, options));
  }

  /** Unmounts everything of this store in this mount namespace. */
  unmountAll(options: { lazy?: boolean | undefined } = {}): Promise<MountResult[]> {
    return this.#run('unmount all', () => this.#mounts.unmountAll(options));
  }

  /** What is mounted, in whatever mount namespace. */
  mounts(): Promise<MountInfo[]> {
    return this.#run('list mounts', () => this.#mounts.list());
  }

  snapshots(): Promise<SnapshotInfo[]> {
    return this.#run('list snapshots', async () => {
      const mounts = await this.#mounts.list();
      const snapshots = [];
      for (const { id, image, driver, form, created } of await this.#parts.snapshots.list()) {
        const { size, inodes } = await this.#usage(id, driver);
        const mountpoints = mounts
          .filter(({ snapshot }) => snapshot === id)
          .map(({ mountpoint }) => mountpoint);
        const { name = null, digest = null } = image ?? {};
        snapshots.push({ id, image: name, digest, driver, form, created, mountpoints, size, inodes });
      }
      return snapshots;
    });
  }

  /**
   * Removes snapshots with what was written to them. One that is mounted is refused with IN_USE, unless `force`
   * unmounts it first.
   */
  removeSnapshots(ids: readonly string[], options: { force?: boolean | undefined } = {}): Promise<void> {
    return this.#run('remove snapshots', async () => {
      for (const id of ids) {
        if ((await this.#parts.snapshots.get(id)) === undefined) throw noSnapshot(id);
      }
      for (const id of ids) await this.#removeSnapshot(id, options.force === true);
    });
  }

  /** What takes how much space. */
  usage(): Promise<StoreUsage> {
    return this.#run('measure the store', async () =>
      (await describing()).storeUsage(this.#parts, async (id) => {
        const record = await this.#parts.snapshots.get(id);
        return record === undefined ? 0 : (await this.#usage(id, record.driver)).size;
      }),
    );
  }

  info(): Promise<StoreInfo> {
    return this.#run('describe the store', async () => {
      const { kernelFeatures } = await import('../mount/features.js');
      const drivers: DriverInfo[] = [];
      for (const driver of await this.#drivers.all()) {
        const { name, supports } = driver;
        drivers.push({ name, supports, ...(await driver.probe()) });
      }
      const count = async (items: AsyncIterable<unknown>): Promise<number> => {
        let total = 0;
        for await (const _ of items) total += 1;
        return total;
      };
      return {
        root: this.root,
        version,
        formatVersion,
        drivers,
        auto: await this.#drivers.automatic(),
        kernel: release(),
        features: kernelFeatures(),
        images: (await this.#parts.names.list()).length,
        layers: await count(this.#parts.layers.list()),
        snapshots: (await this.#parts.snapshots.list()).length,
      };
    });
  }

  /** Releases what the object holds. Mounts stay. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#session[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #removeSnapshot(id: string, force: boolean): Promise<void> {
    const path = join(this.#parts.layout.locks, `snapshot-${id}`);
    using _lock = await FileLock.acquire(path, 'exclusive', { removeAfter: true });
    const record = await this.#parts.snapshots.get(id);
    if (record === undefined) throw noSnapshot(id);
    const driver = await this.#drivers.get(record.driver);
    if (force) {
      const mounted = (await this.#mounts.list()).some(
        ({ snapshot, elsewhere }) => snapshot === id && !elsewhere,
      );
      if (mounted) await this.#mounts.unmount(id, {});
    }
    await this.#mounts.requireUnused(id, driver);
    await this.#parts.snapshots.remove(id);
  }

  async #usage(id: string, driver: string): Promise<{ size: number; inodes: number }> {
    return (await this.#drivers.get(driver)).usage(this.#parts.snapshots.directory(id));
  }

  #requireOpen(): void {
    if (this.#closed) throw new LayerfsError('CLOSED', 'the store is closed');
  }

  async #run<T>(doing: string, work: () => Promise<T>): Promise<T> {
    this.#requireOpen();
    try {
      return await work();
    } catch (error) {
      const wrapped = wrapError(error, doing);
      // Where in the store it was when the word came is of no use to anybody.
      if (codeOf(wrapped) !== 'ABORTED') throw wrapped;
      throw new LayerfsError('ABORTED', `${doing}: cancelled`, { cause: wrapped });
    }
  }
}

/** Of this package. */
export const version: string = (createRequire(import.meta.url)('layerfs/package.json') as { version: string })
  .version;

/** What a mount does not need is loaded by those who ask for it: a command's time is mostly loading. */
function describing(): Promise<typeof describe> {
  return import('./describe.js');
}

function noSnapshot(id: string): LayerfsError {
  return new LayerfsError('SNAPSHOT_NOT_FOUND', `there is no snapshot ${id}`, { detail: { snapshot: id } });
}

function requireRoot(what: string): void {
  if (process.geteuid?.() === 0) return;
  throw new LayerfsError(
    'PERMISSION',
    `only root can ${what}: an ordinary user needs packed layers and the fuse driver, which this version does not have`,
  );
}
