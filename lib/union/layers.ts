/** What the directories of one stack share. */
import type { LayerIndex } from '../layer/layer-index.js';
import type { RecordPlace } from './entry.js';

/** The layers of a stack, bottom first, and where their hardlinks to lower files lead. */
export class Layers {
  readonly #indexes: readonly LayerIndex[];
  readonly #lowerFiles = new Map<number, RecordPlace>();

  constructor(indexes: readonly LayerIndex[]) {
    this.#indexes = indexes;
  }

  get count(): number {
    return this.#indexes.length;
  }

  /** @throws RangeError where the stack has no such layer: a programmer's mistake */
  at(layer: number): LayerIndex {
    const index = this.#indexes[layer];
    if (index === undefined) throw new RangeError(`no layer ${layer} in a stack of ${this.count}`);
    return index;
  }

  /** The record that describes the inode of anything but a directory. */
  inodeOf({ layer, record }: RecordPlace): RecordPlace {
    const index = this.at(layer);
    const inode = { layer, record: index.inode(record) };
    return index.kind(inode.record) === 'hardlink' ? (this.#lowerFiles.get(keyOf(inode)) ?? inode) : inode;
  }

  setLowerFile(hardlink: RecordPlace, file: RecordPlace): void {
    this.#lowerFiles.set(keyOf(hardlink), file);
  }
}

/** One number for each record of a stack. */
export function keyOf({ layer, record }: RecordPlace): number {
  return layer * 2 ** 32 + record;
}
