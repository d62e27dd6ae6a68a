/** One directory as a stack shows it: several layers' directories on one another. */
import type { Bytes } from '../bytes.js';
import type { RecordPlace, NamedEntry, StackEntry } from './entry.js';
import type { Layers } from './layers.js';
import { Merge } from './merge.js';

/** Immutable. It refers to records and copies nothing; only the layers that have the directory take part. */
export class MergedDirectory {
  readonly #layers: Layers;
  /** Top first. */
  readonly #parts: readonly RecordPlace[];
  /** Directories that were asked for by name: the way to everything deeper. */
  readonly #directories = new Map<Bytes, StackEntry>();

  constructor(layers: Layers, parts: readonly RecordPlace[]) {
    this.#layers = layers;
    this.#parts = parts;
  }

  /** The entry of that name; null where there is none. */
  child(name: Bytes): StackEntry | null {
    const known = this.#directories.get(name);
    if (known !== undefined) return known;
    const merge = new Merge();
    for (const { layer, record: directory } of this.#parts) {
      const index = this.#layers.at(layer);
      const record = index.child(directory, name);
      if (record >= 0) merge.add(index, { layer, record });
      if (merge.done) break;
    }
    const entry = this.#entry(merge);
    if (entry !== null && entry.directory !== null) this.#directories.set(name, entry);
    return entry;
  }

  /** All entries, by the bytes of their names. The same each time: a position in it is a steady cookie. */
  children(): NamedEntry[] {
    const [only] = this.#parts;
    return only === undefined || this.#parts.length > 1 ? this.#mergedChildren() : this.#childrenOf(only);
  }

  /** Nothing to merge with, and in order already. */
  #childrenOf({ layer, record: directory }: RecordPlace): NamedEntry[] {
    const index = this.#layers.at(layer);
    const first = index.firstChild(directory);
    const end = first + index.childCount(directory);
    const entries: NamedEntry[] = [];
    for (let record = first; record < end; record++) {
      const kind = index.kind(record);
      if (kind === 'whiteout') continue;
      const name = index.name(record);
      const at = { layer, record };
      if (kind === 'directory') {
        entries.push({ name, layer, record, directory: new MergedDirectory(this.#layers, [at]) });
      } else {
        const inode = kind === 'hardlink' ? this.#layers.inodeOf(at) : at;
        entries.push({ name, layer: inode.layer, record: inode.record, directory: null });
      }
    }
    return entries;
  }

  #mergedChildren(): NamedEntry[] {
    const merges = new Map<Bytes, Merge>();
    for (const { layer, record: directory } of this.#parts) {
      const index = this.#layers.at(layer);
      const first = index.firstChild(directory);
      const end = first + index.childCount(directory);
      for (let record = first; record < end; record++) {
        const name = index.name(record);
        let merge = merges.get(name);
        if (merge === undefined) merges.set(name, (merge = new Merge()));
        if (!merge.done) merge.add(index, { layer, record });
      }
    }
    const entries: NamedEntry[] = [];
    for (const [name, merge] of merges) {
      const entry = this.#entry(merge);
      if (entry !== null) entries.push({ name, ...entry });
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #entry({ record: shown, parts, isDirectory }: Merge): StackEntry | null {
    if (shown === null) return null;
    const { layer, record } = isDirectory ? shown : this.#layers.inodeOf(shown);
    return { layer, record, directory: isDirectory ? new MergedDirectory(this.#layers, parts) : null };
  }
}

/** The root of the lowest `count` layers; null where there is no layer. */
export function mergedRoot(layers: Layers, count: number): StackEntry | null {
  const merge = new Merge();
  for (let layer = count - 1; layer >= 0 && !merge.done; layer--) {
    merge.add(layers.at(layer), { layer, record: 0 });
  }
  if (merge.record === null) return null;
  const { layer, record } = merge.record;
  return { layer, record, directory: new MergedDirectory(layers, merge.parts) };
}
