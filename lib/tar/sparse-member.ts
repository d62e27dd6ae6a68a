/** Sparse files, which GNU tar stores in four ways (GNU tar manual, "Storing Sparse Files"), as one member with its extents. */
import { blockSize } from './block.js';
import type { Fail } from './fault.js';
import { typeflag, type Header } from './header.js';
import type { TarMember } from './member.js';
import { checkSize } from './merge.js';
import {
  OldSparseMapReader,
  oldSparseRealSize,
  SparseMapTextReader,
  type SparseMapReader,
} from './sparse-blocks.js';
import type { SparseMap } from './sparse-map.js';
import type { SparseRecords } from './sparse-records.js';

/** A sparse file whose map may still be on its way. */
export class SparseMember {
  readonly #member: TarMember;
  readonly #realSize: number;
  readonly #map: SparseMap;
  /** Null as soon as the map is complete. */
  #reader: SparseMapReader | null;
  #dataSize: number;

  private constructor(
    member: TarMember,
    realSize: number,
    map: SparseMap,
    reader: SparseMapReader | null,
    fail: Fail,
  ) {
    this.#member = member;
    this.#dataSize = member.dataSize;
    this.#realSize = checkSize(realSize, fail);
    this.#map = map;
    this.#reader = reader;
  }

  /** @returns null where the member is not sparse */
  static of(
    member: TarMember,
    header: Header,
    block: Buffer,
    records: SparseRecords | null,
    fail: Fail,
  ): SparseMember | null {
    if (header.typeflag === typeflag.gnuSparse) {
      // Other formats have no map there: star's looks different.
      if (header.format !== 'gnu' || records !== null) fail('its type is GNU sparse, its format is another');
      const reader = new OldSparseMapReader();
      const isComplete = reader.header(block, fail);
      return new SparseMember(member, oldSparseRealSize(block), reader.map, isComplete ? null : reader, fail);
    }
    if (records === null) return null;
    if (member.type !== 'file') fail(`a sparse ${member.type}`);
    const realSize = records.realSize ?? fail('a sparse file without its real size');
    if (!records.isMapInData(fail)) return new SparseMember(member, realSize, records.map(fail), null, fail);
    const reader = new SparseMapTextReader();
    return new SparseMember(member, realSize, reader.map, reader, fail);
  }

  get isMapComplete(): boolean {
    return this.#reader === null;
  }

  /** Takes the next block of the map. */
  mapBlock(block: Buffer, fail: Fail): void {
    const reader = this.#reader;
    if (reader === null) throw new TypeError('the map is complete');
    if (reader.isInData) {
      this.#dataSize -= blockSize;
      if (this.#dataSize < 0) fail('the map of a sparse file passes its end');
    }
    if (reader.block(block, fail)) this.#reader = null;
  }

  /** The member, once its map is complete. */
  finish(dataOffset: number, fail: Fail): TarMember {
    const extents = this.#map.extents(this.#realSize, this.#dataSize, fail);
    return { ...this.#member, size: this.#realSize, dataSize: this.#dataSize, extents, dataOffset };
  }
}
