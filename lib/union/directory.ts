/** One directory as a stack shows it: several layers' directories on one another. */
import { baseOf, display, parentOf, type Bytes } from '../bytes.js';
import { LayerfsError } from '../errors.js';
import type { LayerIndex } from '../layer/layer-index.js';
import { limits } from '../limits.js';
import type { LayerRecord, NamedEntry, StackEntry } from './entry.js';
import { layerAt } from './layers.js';
import { Merge } from './merge.js';
import { resolveFrom } from './resolve.js';

/** Immutable. It refers to records and copies nothing; only the layers that have the directory take part. */
export class MergedDirectory {
  readonly #layers: readonly LayerIndex[];
  /** Top first. */
  readonly #parts: readonly LayerRecord[];
  /** How many lower hardlinks are being resolved around this one. */
  readonly #depth: number;
  /** Directories that were asked for by name: the way to everything deeper. */
  readonly #directories = new Map<Bytes, StackEntry>();

  constructor(layers: readonly LayerIndex[], parts: readonly LayerRecord[], depth: number) {
    this.#layers = layers;
    this.#parts = parts;
    this.#depth = depth;
  }

  /** The entry of that name; null where there is none. */
  child(name: Bytes): StackEntry | null {
    const known = this.#directories.get(name);
    if (known !== undefined) return known;
    const entry = this.#entry(this.#merge(name));
    if (entry !== null && entry.directory !== null) this.#directories.set(name, entry);
    return entry;
  }

  /** All entries, by the bytes of their names. The same each time: a position in it is a steady cookie. */
  children(): NamedEntry[] {
    const [only] = this.#parts;
    return only === undefined || this.#parts.length > 1 ? this.#mergedChildren() : this.#childrenOf(only);
  }

  /** Nothing to merge with, and in order already. */
  #childrenOf({ layer, record: directory }: LayerRecord): NamedEntry[] {
    const index = layerAt(this.#layers, layer);
    const first = index.firstChild(directory);
    const end = first + index.childCount(directory);
    const entries: NamedEntry[] = [];
    for (let record = first; record < end; record++) {
      const at = { layer, record };
      const kind = index.kind(record);
      if (kind === 'whiteout') continue;
      const name = index.name(record);
      if (kind === 'directory') {
        const children = new MergedDirectory(this.#layers, [at], this.#depth);
        entries.push({ name, layer, record, directory: children });
      } else {
        const inode = kind === 'hardlink' ? this.#inodeOf(at) : at;
        entries.push({ name, layer: inode.layer, record: inode.record, directory: null });
      }
    }
    return entries;
  }

  #mergedChildren(): NamedEntry[] {
    const merges = new Map<Bytes, Merge>();
    for (const part of this.#parts) {
      const index = layerAt(this.#layers, part.layer);
      const first = index.firstChild(part.record);
      const end = first + index.childCount(part.record);
      for (let record = first; record < end; record++) {
        const name = index.name(record);
        let merge = merges.get(name);
        if (merge === undefined) merges.set(name, (merge = new Merge()));
        if (!merge.done) merge.add(index, { layer: part.layer, record });
      }
    }
    const entries: NamedEntry[] = [];
    for (const [name, merge] of merges) {
      const entry = this.#entry(merge);
      if (entry !== null) entries.push({ name, ...entry });
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #merge(name: Bytes): Merge {
    const merge = new Merge();
    for (const part of this.#parts) {
      const index = layerAt(this.#layers, part.layer);
      const record = index.child(part.record, name);
      if (record >= 0) merge.add(index, { layer: part.layer, record });
      if (merge.done) break;
    }
    return merge;
  }

  #entry(merge: Merge): StackEntry | null {
    const { record } = merge;
    if (record === null) return null;
    if (!merge.isDirectory) return { ...this.#inodeOf(record), directory: null };
    const directory = new MergedDirectory(this.#layers, merge.parts, this.#depth);
    return { layer: record.layer, record: record.record, directory };
  }

  /** Where the inode of a name is described: hardlinks to lower files lead further and further down. */
  #inodeOf(name: LayerRecord): LayerRecord {
    let { layer, record } = name;
    for (;;) {
      const index = layerAt(this.#layers, layer);
      const target = index.lowerTarget(record);
      if (target === null) return { layer, record: index.inode(record) };
      // A directory on the way may be a symlink, which may be such a hardlink itself.
      const root =
        this.#depth < limits.symlinksFollowed ? mergedRoot(this.#layers, layer, this.#depth + 1) : null;
      const parent = root === null ? null : resolveFrom(this.#layers, root, parentOf(target), true);
      const directory = parent?.entry?.directory ?? null;
      const found = directory === null ? null : directory.#merge(baseOf(target));
      if (found === null || found.record === null || found.isDirectory) {
        throw new LayerfsError(
          'ENTRY_INVALID',
          `${display(index.path(record))} is a hardlink to ${display(target)}, which is no file of the layers below`,
          { detail: { layer, path: index.path(record), target } },
        );
      }
      ({ layer, record } = found.record);
    }
  }
}

/** The root of the lowest `count` layers; null where there is no layer. */
export function mergedRoot(layers: readonly LayerIndex[], count: number, depth = 0): StackEntry | null {
  const merge = new Merge();
  for (let layer = count - 1; layer >= 0 && !merge.done; layer--) {
    merge.add(layerAt(layers, layer), { layer, record: 0 });
  }
  if (merge.record === null) return null;
  return { ...merge.record, directory: new MergedDirectory(layers, merge.parts, depth) };
}
