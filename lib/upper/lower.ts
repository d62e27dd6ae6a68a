/** What stored layers show, as applying one more layer on top of them asks for it. */
import { bytes, type HostPath, type LayerPath } from '../bytes.js';
import { openBeneath } from '../fs/beneath.js';
import { copyFileContents } from '../fs/copy-file.js';
import type { LayerIndex } from '../layer/layer-index.js';
import type { Inode } from '../layer/node.js';
import type { Lower, LowerNode } from '../layer/lower.js';
import {
  AT_FDCWD,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_WRONLY,
  close,
  openat,
} from '../sys/index.js';
import type { RecordPlace } from '../union/entry.js';
import { linkGroups } from '../union/link-groups.js';
import { Stack } from '../union/stack.js';
import type { CopyUp } from './unpack.js';

export interface LowerLayer {
  readonly index: LayerIndex;
  readonly tree: HostPath;
}

/** An inode as a layer's index describes it. */
export function inodeOf(index: LayerIndex, record: number): Inode {
  const kind = index.kind(record);
  const meta = index.meta(record);
  switch (kind) {
    case 'file':
      return {
        kind,
        meta,
        size: index.size(record),
        extents: index.extents(record),
        contentHash: index.contentHash(record),
        dataOffset: index.dataOffset(record),
      };
    case 'symlink':
      return { kind, meta, target: index.target(record) };
    case 'char':
    case 'block':
      return { kind, meta, major: index.major(record), minor: index.minor(record) };
    case 'fifo':
      return { kind, meta };
    default:
      throw new TypeError(`a ${kind} is no inode`);
  }
}

/** Stored layers, bottom first, as the tree of a further layer sees them. */
export class StoredLower implements Lower {
  readonly #layers: readonly LowerLayer[];
  readonly #stack: Stack;
  #names: Map<string, readonly LayerPath[]> | null = null;

  constructor(layers: readonly LowerLayer[]) {
    this.#layers = layers;
    this.#stack = new Stack(layers.map(({ index }) => index));
  }

  lookup(path: LayerPath): LowerNode | null {
    const entry = this.#stack.lookup(path);
    if (entry === null) return null;
    const { index } = this.#layer(entry);
    if (entry.directory !== null) return { kind: 'directory', meta: index.meta(entry.record) };
    return { kind: 'inode', inode: inodeOf(index, entry.record), names: () => this.#namesOf(path) };
  }

  /** Copies a file's contents out of the layer that has it. */
  readonly copyUp: CopyUp = (node, from, directory) => {
    const entry = this.#stack.lookup(from);
    if (entry === null || node.kind !== 'file')
      throw new TypeError('only a file that is there can be copied up');
    const { tree, index } = this.#layer(entry);
    using root = opened(openat(AT_FDCWD, bytes(tree), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    using source = opened(openBeneath(root.fd, index.path(entry.record), O_RDONLY));
    using target = opened(openat(directory, node.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600));
    copyFileContents(source.fd, target.fd, node.size);
  };

  #layer({ layer }: RecordPlace): LowerLayer {
    const found = this.#layers[layer];
    if (found === undefined) throw new RangeError(`no layer ${layer}`);
    return found;
  }

  #namesOf(path: LayerPath): readonly LayerPath[] {
    this.#names ??= new Map(
      linkGroups(this.#stack).flatMap(({ paths }) => paths.map((name) => [name, paths])),
    );
    return this.#names.get(path) ?? [path];
  }
}

function opened(fd: number): Disposable & { fd: number } {
  return { fd, [Symbol.dispose]: () => close(fd) };
}
