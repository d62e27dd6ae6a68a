/** Writes out what a stack shows as plain files: the oldest way to show layers, and the one that needs nothing. */
import { throwIfAborted, type Abortable } from '../abort.js';
import { bytes, joinPath, rootPath, type HostPath, type LayerPath } from '../bytes.js';
import { linkBeneath, openBeneath } from '../fs/beneath.js';
import { copyFileContents } from '../fs/copy-file.js';
import { setMetadata, setMetadataAt } from '../fs/set-metadata.js';
import type { Meta } from '../layer/entry.js';
import type { LayerIndex } from '../layer/layer-index.js';
import {
  AT_FDCWD,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_WRONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  close,
  mkdirat,
  mknodat,
  openat,
  symlinkat,
} from '../sys/index.js';
import type { NamedEntry, StackEntry } from '../union/entry.js';
import type { Stack } from '../union/stack.js';

export interface MaterializeOptions extends Abortable {
  /** Called now and then with the bytes and entries put in place so far. */
  onProgress?: ((done: { bytes: number; entries: number }) => void) | undefined;
}

/** Where the contents of a file can be read: a directory, and the file's path in it. */
export type Contents = (
  entry: StackEntry,
  path: LayerPath,
) => { readonly tree: HostPath; readonly path: LayerPath };

/** Contents where the layers have them. */
export function fromLayers(stack: Stack, trees: readonly HostPath[]): Contents {
  return ({ layer, record }) => {
    const [tree, index] = [trees[layer], stack.layers[layer]];
    if (tree === undefined || index === undefined) throw new RangeError(`no layer ${layer}`);
    return { tree, path: index.path(record) };
  };
}

const directoryFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
const turn = 256;

/**
 * Fills `target`, an empty directory, with what `stack` shows, hardlinks and all metadata included.
 * @param root what the root looks like
 */
export async function materialize(
  stack: Stack,
  root: Meta,
  contents: Contents,
  target: HostPath,
  options: MaterializeOptions = {},
): Promise<void> {
  using work = new Materialization(stack, contents, options);
  const fd = openat(AT_FDCWD, bytes(target), directoryFlags);
  try {
    if (stack.root !== null) await work.directory(fd, stack.root, rootPath);
    setMetadata(fd, root);
  } finally {
    close(fd);
  }
}

class Materialization implements Disposable {
  readonly #stack: Stack;
  readonly #contents: Contents;
  readonly #options: MaterializeOptions;
  readonly #trees = new Map<HostPath, number>();
  /** The first path of each inode that may show under several. */
  readonly #firstNames = new Map<number, LayerPath>();
  readonly #anyMayBeLinked: boolean;
  #root = -1;
  readonly #done = { bytes: 0, entries: 0 };

  constructor(stack: Stack, contents: Contents, options: MaterializeOptions) {
    this.#stack = stack;
    this.#contents = contents;
    this.#options = options;
    // A link to a layer below can name any file there.
    this.#anyMayBeLinked = stack.layers.some(({ context }) => context.lowerHardlinks);
  }

  [Symbol.dispose](): void {
    for (const fd of this.#trees.values()) close(fd);
  }

  async directory(fd: number, entry: StackEntry, path: LayerPath): Promise<void> {
    if (this.#root < 0) this.#root = fd;
    for (const child of entry.directory?.children() ?? []) {
      this.#done.entries += 1;
      if (this.#done.entries % turn === 0) {
        throwIfAborted(this.#options.signal, 'copy layers');
        this.#options.onProgress?.(this.#done);
        await new Promise((resolve) => setImmediate(resolve));
      }
      const childPath = joinPath(path, child.name);
      if (child.directory === null) {
        this.#inode(fd, child, childPath);
        continue;
      }
      mkdirat(fd, child.name, 0o700);
      const below = openat(fd, child.name, directoryFlags);
      try {
        await this.directory(below, child, childPath);
        // Last, so that neither a default ACL nor a setgid bit reaches what is below, nor the making of it the times.
        setMetadata(below, this.#index(child).meta(child.record));
      } finally {
        close(below);
      }
    }
  }

  #inode(fd: number, child: NamedEntry, path: LayerPath): void {
    const index = this.#index(child);
    const { name, record } = child;
    if (this.#anyMayBeLinked || index.linkCount(record) > 1) {
      const key = child.layer * 2 ** 32 + record;
      const first = this.#firstNames.get(key);
      if (first !== undefined) {
        linkBeneath(this.#root, first, fd, name);
        return;
      }
      this.#firstNames.set(key, path);
    }
    const kind = index.kind(record);
    switch (kind) {
      case 'file':
        this.#file(fd, child, path);
        return;
      case 'symlink':
        symlinkat(index.target(record), fd, name);
        break;
      case 'fifo':
        mknodat(fd, name, S_IFIFO | 0o600);
        break;
      case 'char':
      case 'block': {
        const type = kind === 'char' ? S_IFCHR : S_IFBLK;
        mknodat(fd, name, type | 0o600, index.major(record), index.minor(record));
        break;
      }
      default:
        throw new TypeError(`a ${kind} cannot be seen in a stack`);
    }
    setMetadataAt(fd, name, kind, index.meta(record));
  }

  #file(fd: number, child: NamedEntry, path: LayerPath): void {
    const index = this.#index(child);
    const from = this.#contents(child, path);
    const size = index.size(child.record);
    const target = openat(fd, child.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      if (size > 0) {
        const source = openBeneath(this.#tree(from.tree), from.path, O_RDONLY);
        try {
          copyFileContents(source, target, size);
        } finally {
          close(source);
        }
      }
      setMetadata(target, index.meta(child.record));
      this.#done.bytes += size;
    } finally {
      close(target);
    }
  }

  #tree(path: HostPath): number {
    let fd = this.#trees.get(path);
    if (fd === undefined) {
      fd = openat(AT_FDCWD, bytes(path), directoryFlags);
      this.#trees.set(path, fd);
    }
    return fd;
  }

  #index({ layer }: StackEntry): LayerIndex {
    const index = this.#stack.layers[layer];
    if (index === undefined) throw new RangeError(`no layer ${layer}`);
    return index;
  }
}
