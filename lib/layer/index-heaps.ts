/** The parts of a layer index that records point into, while it is written. */
import type { Bytes } from '../bytes.js';
import { LayerfsError } from '../errors.js';
import type { Extent, Meta } from './entry.js';
import { extentWords, maximumSize, setInteger } from './index-format.js';

/** V8's Map ends at 2^24 keys; beyond this many, a string is not looked for but stored again. */
const maximumShared = 2 ** 23;

/** @throws LayerfsError LIMIT_EXCEEDED */
export function checkIndexSize(size: number): void {
  if (size <= maximumSize) return;
  throw new LayerfsError('LIMIT_EXCEEDED', `the layer's index would be larger than ${maximumSize} bytes`, {
    detail: { limit: maximumSize },
  });
}

/** Byte strings one after another; equal ones are stored once. */
export class StringHeap {
  readonly #offsets = new Map<string, number>();
  readonly #strings: string[] = [];
  #size = 0;

  /** The offset at which `value` is stored. */
  add(value: Bytes): number {
    const known = this.#offsets.get(value);
    if (known !== undefined) return known;
    const offset = this.#size;
    this.#size += value.length;
    checkIndexSize(this.#size);
    this.#strings.push(value);
    if (this.#offsets.size < maximumShared) this.#offsets.set(value, offset);
    return offset;
  }

  toBuffer(): Buffer {
    const buffer = Buffer.allocUnsafe(this.#size);
    let offset = 0;
    for (const value of this.#strings) offset += buffer.write(value, offset, 'latin1');
    return buffer;
  }
}

/** Sets of xattrs, each stored once. Offset 0 is the empty set. */
export class XattrHeap {
  readonly #offsets = new Map<string, number>();
  readonly #sets: Buffer[] = [Buffer.alloc(4)];
  #size = 4;

  add(xattrs: Meta['xattrs']): number {
    if (xattrs.size === 0) return 0;
    const set = encodeXattrs(xattrs);
    const key = set.toString('latin1');
    const known = this.#offsets.get(key);
    if (known !== undefined) return known;
    const offset = this.#size;
    this.#size += set.length;
    checkIndexSize(this.#size);
    this.#sets.push(set);
    this.#offsets.set(key, offset);
    return offset;
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.#sets);
  }
}

function encodeXattrs(xattrs: Meta['xattrs']): Buffer {
  const count = Buffer.alloc(4);
  count.writeUInt32LE(xattrs.size);
  const parts: Uint8Array[] = [count];
  const sorted = [...xattrs].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, value] of sorted) {
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32LE(name.length, 0);
    lengths.writeUInt32LE(value.length, 4);
    parts.push(lengths, Buffer.from(name, 'latin1'), value);
  }
  return Buffer.concat(parts);
}

/** Groups of names that share an inode: how many, then their records. Word 0 is the empty group. */
export class LinkHeap {
  readonly #words: number[] = [0];

  /** The word at which the group begins. */
  add(records: readonly number[]): number {
    const word = this.#words.length;
    this.#words.push(records.length);
    for (const record of records) this.#words.push(record);
    return word;
  }

  toBuffer(): Buffer {
    return Buffer.from(Uint32Array.from(this.#words).buffer);
  }
}

/** The runs of data of sparse files; records are added in ascending order. */
export class ExtentHeap {
  readonly #table: number[] = [];
  readonly #extents: Extent[] = [];

  add(record: number, extents: readonly Extent[]): void {
    this.#table.push(record, this.#extents.length, extents.length);
    for (const extent of extents) this.#extents.push(extent);
  }

  tableToBuffer(): Buffer {
    return Buffer.from(Uint32Array.from(this.#table).buffer);
  }

  extentsToBuffer(): Buffer {
    const words = new Uint32Array(this.#extents.length * extentWords);
    this.#extents.forEach(({ offset, size }, i) => {
      setInteger(words, i * extentWords, offset);
      setInteger(words, i * extentWords + 2, size);
    });
    return Buffer.from(words.buffer);
  }
}
