/**
 * The vfs driver: plain copies. A stack is written out once, and each snapshot is a copy of that, sharing blocks where
 * the file system can (btrfs, xfs). It is what the other drivers are compared with.
 */
import { existsSync, realpathSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bytes, type Bytes, type HostPath } from '../../lib/bytes.js';
import type { Digest } from '../../lib/digest.js';
import type {
  DetachedMount,
  Driver,
  DriverContext,
  LayerStack,
  MountFlags,
  PrepareOptions,
  Probe,
  SnapshotDirectory,
  Supports,
  Usage,
} from '../../lib/driver.js';
import { LayerfsError, codeOf, messageOf } from '../../lib/errors.js';
import { makeDirectoryDurable, renameDurable } from '../../lib/fs/atomic.js';
import { syncFileSystem } from '../../lib/fs/sync.js';
import { treeUsage } from '../../lib/fs/usage.js';
import { chainName, obsoleteChains } from '../../lib/layer/chain-names.js';
import { detachedMount } from '../../lib/mount/detached.js';
import type { MountSpec } from '../../lib/mount/spec.js';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  OPEN_TREE_CLONE,
  SystemError,
  close,
  mountSetattr,
  openTree,
  statx,
} from '../../lib/sys/index.js';
import { Stack } from '../../lib/union/stack.js';
import { fromLayers, materialize, type Contents } from '../../lib/flat/materialize.js';

export class VfsDriver implements Driver {
  readonly name = 'vfs';
  readonly needs = 'unpacked';
  readonly snapshotForm = 'copy';
  readonly supports: Supports = {
    unprivileged: false,
    maximumLayers: null,
    renameLowerDirectories: true,
    hardlinksAcrossCopyUp: true,
    stableInodes: true,
    readsSeeLaterWrites: true,
    volatile: false,
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
          'needs root (to give files their owners, and for bind mounts): an ordinary user needs the fuse driver, which this version does not have',
      };
    }
    try {
      return await this.#context.withTemporary(async (directory) => {
        close(bind(directory, true, {}));
        return { available: true, detail: {} };
      });
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      return { available: false, reason: messageOf(error) };
    }
  }

  async prepare(stack: LayerStack, options: PrepareOptions = {}): Promise<void> {
    const tree = this.#tree(stack);
    if (existsSync(tree)) return;
    await makeDirectoryDurable(dirname(tree), this.#context);
    await this.#context.withTemporary(async (directory) => {
      const made = join(directory, 'tree');
      const trees = stack.layers.map((layer) => layer.tree);
      await this.#copy(stack, made, options, (union) => fromLayers(union, trees));
      try {
        await renameDurable(made, tree, this.#context);
      } catch (error) {
        // Another process was quicker.
        if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error;
      }
    });
  }

  async createSnapshot(
    stack: LayerStack,
    snapshot: SnapshotDirectory,
    options: PrepareOptions = {},
  ): Promise<void> {
    const tree = this.#tree(stack);
    await this.#copy(stack, copyOf(snapshot), options, () => (_, path) => ({ tree, path }));
  }

  async mount(
    stack: LayerStack,
    snapshot: SnapshotDirectory | null,
    flags: MountFlags,
  ): Promise<DetachedMount> {
    const source = snapshot === null ? this.#tree(stack) : copyOf(snapshot);
    try {
      return detachedMount(bind(source, snapshot === null, flags), pathInMount(source));
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      throw new LayerfsError('MOUNT_FAILED', `bind ${source}: ${messageOf(error)}`, { cause: error });
    }
  }

  describe(stack: LayerStack, snapshot: SnapshotDirectory | null, flags: MountFlags): MountSpec[] {
    const options = ['rbind', snapshot === null ? 'ro' : 'rw'];
    if (flags.nodev === true) options.push('nodev');
    if (flags.nosuid === true) options.push('nosuid');
    return [{ type: 'bind', source: snapshot === null ? this.#tree(stack) : copyOf(snapshot), options }];
  }

  /** A bind mount leaves no mark on what it shows. */
  isMounted(): boolean {
    return false;
  }

  usage(snapshot: SnapshotDirectory): Promise<Usage> {
    return treeUsage(copyOf(snapshot));
  }

  obsolete(wanted: ReadonlySet<Digest>): Promise<HostPath[]> {
    return obsoleteChains(this.#context.directory, wanted);
  }

  #tree(stack: LayerStack): HostPath {
    return join(this.#context.directory, chainName(stack.chainId), 'tree');
  }

  async #copy(
    stack: LayerStack,
    target: HostPath,
    options: PrepareOptions,
    contents: (union: Stack) => Contents,
  ): Promise<void> {
    const indexes = [];
    for (const layer of stack.layers) indexes.push(await layer.index());
    await mkdir(target, 0o700);
    const union = new Stack(indexes);
    await materialize(union, stack.root, contents(union), target, options);
    if (this.#context.durable) syncFileSystem(target);
  }
}

function copyOf(snapshot: SnapshotDirectory): HostPath {
  return join(snapshot.directory, 'copy');
}

/** The end of what mount tables show as a mount's root: they have the path inside the file system. */
function pathInMount(path: HostPath): Bytes {
  const real = realpathSync(path);
  let at = real;
  while (at !== '/' && !statx(AT_FDCWD, bytes(at), AT_SYMLINK_NOFOLLOW).isMountRoot) at = dirname(at);
  return bytes(at === '/' ? real : real.slice(at.length));
}

function bind(source: HostPath, readOnly: boolean, flags: MountFlags): number {
  const mount = openTree(AT_FDCWD, bytes(source), OPEN_TREE_CLONE);
  try {
    let attrSet = readOnly ? MOUNT_ATTR_RDONLY : 0;
    if (flags.nodev === true) attrSet |= MOUNT_ATTR_NODEV;
    if (flags.nosuid === true) attrSet |= MOUNT_ATTR_NOSUID;
    if (attrSet !== 0) mountSetattr(mount, bytes(''), AT_EMPTY_PATH, { attrSet });
    return mount;
  } catch (error) {
    close(mount);
    throw error;
  }
}
