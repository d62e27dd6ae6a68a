/** What a stack shows as one sequence of entries: the root file system that a container would see, for a tar. */
import { createReadStream } from 'node:fs';
import { bytes, type HostPath, type LayerPath } from '../bytes.js';
import { openBeneath } from '../fs/beneath.js';
import type { Entry, FileEntry, Meta } from '../layer/entry.js';
import type { LayerIndex } from '../layer/layer-index.js';
import { AT_FDCWD, O_DIRECTORY, O_NOFOLLOW, O_RDONLY, close, openat, procPath } from '../sys/index.js';
import type { StackEntry } from '../union/entry.js';
import type { Stack } from '../union/stack.js';

/** A stack with its layers' trees, lowest first, and what its root looks like. */
export class FlatTree {
  readonly #stack: Stack;
  readonly #trees: readonly HostPath[];
  readonly #root: Meta;
  /** Where the file that was handed out last has its contents. */
  #last: { readonly path: LayerPath; readonly entry: StackEntry } | null = null;

  constructor(stack: Stack, trees: readonly HostPath[], root: Meta) {
    this.#stack = stack;
    this.#trees = trees;
    this.#root = root;
  }

  /** Directories before what is in them; a file's further names are hardlinks to its first. */
  *entries(): Generator<Entry> {
    const first = new Map<number, LayerPath>();
    for (const { path, entry } of this.#stack.walk()) {
      if (path === '') {
        yield { kind: 'directory', path, meta: this.#root };
        continue;
      }
      const { layer, record } = entry;
      const key = layer * 2 ** 32 + record;
      const target = entry.directory === null ? first.get(key) : undefined;
      if (target !== undefined) {
        yield { kind: 'hardlink', path, target };
        continue;
      }
      if (entry.directory === null) first.set(key, path);
      this.#last = { path, entry };
      yield entryOf(this.#index(entry), record, path);
    }
  }

  /** The contents of the file that `entries` has just yielded, holes as zeros. */
  async *contents(file: FileEntry): AsyncGenerator<Buffer> {
    if (this.#last?.path !== file.path) throw new TypeError('contents are read in the order of the entries');
    if (file.size === 0) return;
    const { entry } = this.#last;
    const tree = openat(AT_FDCWD, bytes(this.#trees[entry.layer] ?? ''), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    let fd: number;
    try {
      fd = openBeneath(tree, this.#index(entry).path(entry.record), O_RDONLY);
    } finally {
      close(tree);
    }
    try {
      // Node must not close a descriptor that it did not open, so it opens the file again.
      for await (const chunk of createReadStream(procPath(fd))) yield chunk as Buffer;
    } finally {
      close(fd);
    }
  }

  #index({ layer }: StackEntry): LayerIndex {
    const index = this.#stack.layers[layer];
    if (index === undefined) throw new RangeError(`no layer ${layer}`);
    return index;
  }
}

function entryOf(index: LayerIndex, record: number, path: LayerPath): Entry {
  const kind = index.kind(record);
  const meta = index.meta(record);
  switch (kind) {
    case 'directory':
    case 'fifo':
      return { kind, path, meta };
    case 'file':
      return { kind, path, meta, size: index.size(record), extents: index.extents(record) };
    case 'symlink':
      return { kind, path, meta, target: index.target(record) };
    case 'char':
    case 'block':
      return { kind, path, meta, major: index.major(record), minor: index.minor(record) };
    default:
      throw new TypeError(`a ${kind} cannot be seen in a stack`);
  }
}
