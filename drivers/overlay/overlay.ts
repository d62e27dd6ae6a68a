/** The overlay driver: the kernel's overlayfs over unpacked layers. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bytes, type HostPath } from '../../lib/bytes.js';
import type { Digest } from '../../lib/digest.js';
import type {
  DetachedMount,
  Driver,
  DriverContext,
  LayerStack,
  MountFlags,
  Probe,
  SnapshotDirectory,
  Supports,
  Usage,
} from '../../lib/driver.js';
import { LayerfsError, codeOf, messageOf } from '../../lib/errors.js';
import { makeDirectoryDurable, renameDurable, syncDirectory, writeFileAtomic } from '../../lib/fs/atomic.js';
import { removeTree } from '../../lib/fs/remove.js';
import { setMetadata } from '../../lib/fs/set-metadata.js';
import { syncFileSystem } from '../../lib/fs/sync.js';
import { treeUsage } from '../../lib/fs/usage.js';
import { chainName, noChain, obsoleteChains } from '../../lib/layer/chain-names.js';
import type { Meta } from '../../lib/layer/entry.js';
import { impliedMeta } from '../../lib/layer/tree.js';
import { bootId } from '../../lib/mount/boot-id.js';
import { detachedMount } from '../../lib/mount/detached.js';
import { upperInUse } from '../../lib/mount/overlay-probe.js';
import type { MountSpec } from '../../lib/mount/spec.js';
import { AT_FDCWD, O_DIRECTORY, O_RDONLY, close, openat } from '../../lib/sys/index.js';
import { xattrToDisk } from '../../lib/upper/marks.js';
import { detectMethod, mountOverlay } from './mount.js';
import {
  maximumLowers,
  needsRoot,
  planOverlay,
  specOf,
  upperOf,
  volatileBootOf,
  workOf,
  type StackDirectories,
} from './plan.js';

export class OverlayDriver implements Driver {
  readonly name = 'overlay';
  readonly needs = 'unpacked';
  readonly snapshotForm = 'upper';
  readonly supports: Supports = {
    unprivileged: false,
    maximumLayers: maximumLowers,
    renameLowerDirectories: true,
    hardlinksAcrossCopyUp: false,
    stableInodes: true,
    readsSeeLaterWrites: true,
    volatile: true,
  };
  readonly #context: DriverContext;

  constructor(context: DriverContext) {
    this.#context = context;
  }

  async probe(): Promise<Probe> {
    if (process.geteuid?.() !== 0) {
      return {
        available: false,
        reason:
          'needs root (CAP_SYS_ADMIN): an ordinary user needs the fuse driver, which this version does not have',
      };
    }
    try {
      return await this.#context.withTemporary(async (directory) => {
        const path = (name: string): HostPath => join(directory, name);
        for (const name of ['a', 'b', 'upper', 'work', 'at']) await mkdir(path(name));
        const layers = ['a', 'b'].map((id) => ({ id, directory: path(id), tree: path(id), index: noIndex }));
        const stack = { chainId: null, layers, root: impliedMeta, rootImplied: false };
        const plan = planOverlay(stack, { id: 'probe', directory }, this.#directories(stack), {});
        close(mountOverlay(plan, 'layerfs-probe', path('at')));
        return { available: true, detail: { method: detectMethod(), maximumLayers: maximumLowers } };
      });
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      return { available: false, reason: messageOf(error) };
    }
  }

  async prepare(stack: LayerStack): Promise<void> {
    const directories = this.#directories(stack);
    await this.#make(directories.empty, impliedMeta);
    if (needsRoot(stack)) await this.#make(directories.root, stack.root);
    if (needsRoot(stack) && stack.layers.length >= maximumLowers)
      await this.#make(directories.work, impliedMeta);
  }

  async createSnapshot(stack: LayerStack, snapshot: SnapshotDirectory): Promise<void> {
    await mkdir(upperOf(snapshot), 0o700);
    // The merged root looks like the upper's.
    applyRoot(upperOf(snapshot), stack.root);
    await mkdir(workOf(snapshot), 0o700);
    if (!this.#context.durable) return;
    for (const path of [upperOf(snapshot), workOf(snapshot), snapshot.directory]) await syncDirectory(path);
  }

  async mount(
    stack: LayerStack,
    snapshot: SnapshotDirectory | null,
    flags: MountFlags,
    label: string,
  ): Promise<DetachedMount> {
    const plan = planOverlay(stack, snapshot, this.#directories(stack), flags);
    if (snapshot !== null) await this.#settleVolatile(snapshot, flags);
    if (detectMethod() !== 'page') return detachedMount(mountOverlay(plan, label, null), label);
    return this.#context.withTemporary(async (directory) =>
      detachedMount(mountOverlay(plan, label, directory), label),
    );
  }

  describe(stack: LayerStack, snapshot: SnapshotDirectory | null, flags: MountFlags): MountSpec[] {
    return [specOf(planOverlay(stack, snapshot, this.#directories(stack), flags))];
  }

  isMounted(snapshot: SnapshotDirectory): boolean {
    const upper = openDirectory(upperOf(snapshot));
    try {
      return upperInUse(upper);
    } finally {
      close(upper);
    }
  }

  usage(snapshot: SnapshotDirectory): Promise<Usage> {
    return treeUsage(upperOf(snapshot));
  }

  obsolete(wanted: ReadonlySet<Digest>): Promise<HostPath[]> {
    return obsoleteChains(this.#context.directory, wanted);
  }

  #directories(stack: LayerStack): StackDirectories {
    const own = join(this.#context.directory, chainName(stack.chainId));
    return {
      root: join(own, 'root'),
      empty: join(this.#context.directory, noChain, 'empty'),
      work: join(own, 'work'),
    };
  }

  /** An empty directory that looks as it should from the moment it is there. */
  async #make(path: HostPath, meta: Meta): Promise<void> {
    if (existsSync(path)) return;
    await makeDirectoryDurable(join(path, '..'), this.#context);
    await this.#context.withTemporary(async (directory) => {
      const made = join(directory, randomUUID());
      await mkdir(made, 0o700);
      applyRoot(made, meta);
      try {
        await renameDurable(made, path, this.#context);
      } catch (error) {
        // Another process was quicker, and a mount has used it since.
        if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error;
      }
    });
  }

  /**
   * overlayfs leaves a mark where a volatile mount has been, and refuses to mount what has it: the machine may have
   * stopped before all was written. As long as it has not, nothing is lost.
   */
  async #settleVolatile(snapshot: SnapshotDirectory, flags: MountFlags): Promise<void> {
    const bootFile = volatileBootOf(snapshot);
    const mark = join(workOf(snapshot), 'work', 'incompat', 'volatile');
    if (existsSync(mark)) {
      if (!existsSync(bootFile) || (await readFile(bootFile, 'latin1')) !== (await bootId())) {
        throw new LayerfsError(
          'STORE_INVALID',
          `snapshot ${snapshot.id} was mounted with --volatile when the machine stopped: what it holds may be incomplete; remove it with "layerfs rm ${snapshot.id}"`,
          { detail: { snapshot: snapshot.id } },
        );
      }
      if (flags.volatile !== true && this.#context.durable) syncFileSystem(upperOf(snapshot));
      await removeTree(mark);
    }
    if (flags.volatile === true) await writeFileAtomic(bootFile, await bootId(), { durable: false });
  }
}

function noIndex(): never {
  throw new TypeError('a probe has no index');
}

function openDirectory(path: HostPath): number {
  return openat(AT_FDCWD, bytes(path), O_RDONLY | O_DIRECTORY);
}

function applyRoot(path: HostPath, meta: Meta): void {
  const fd = openDirectory(path);
  try {
    setMetadata(fd, meta, xattrToDisk);
  } finally {
    close(fd);
  }
}
