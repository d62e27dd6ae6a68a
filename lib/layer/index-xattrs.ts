/**
 * Section `xattrs` of a layer index: sets of xattrs, each stored once, the empty set first. A set is the count of its
 * xattrs, and of each the length of the name, the length of the value (all u32), the name and the value.
 */
import { bytesOf, type Bytes } from '../bytes.js';
import type { Meta } from './entry.js';
import { invalid, type IndexFile } from './index-file.js';
import { checkIndexSize } from './index-format.js';

/** The section while it is written. */
export class XattrHeap {
  readonly #offsets = new Map<string, number>();
  readonly #sets: Buffer[] = [Buffer.alloc(4)];
  #size = 4;

  /** The offset at which the set is stored. */
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

/** The set at an offset of the section. Its values are the file's own memory. */
export function xattrsAt({ bytes, sections }: IndexFile, offset: number): Meta['xattrs'] {
  const xattrs = new Map<Bytes, Buffer>();
  let at = sections.xattrs.offset + offset;
  const count = bytes.readUInt32LE(at);
  at += 4;
  for (let i = 0; i < count; i++) {
    const name = at + 8;
    const value = name + bytes.readUInt32LE(at);
    const end = value + bytes.readUInt32LE(at + 4);
    xattrs.set(bytesOf(bytes, name, value), bytes.subarray(value, end));
    at = end;
  }
  return xattrs;
}

/** The offsets of all sets. @throws LayerfsError INDEX_INVALID unless the section is nothing but sets */
export function xattrSets({ bytes, sections }: IndexFile): ReadonlySet<number> {
  const { offset, size } = sections.xattrs;
  const sets = new Set<number>();
  let at = 0;
  const take = (count: number): number => {
    const from = offset + at;
    at += count;
    if (at > size) throw invalid('the xattrs are cut short');
    return from;
  };
  while (at < size) {
    sets.add(at);
    const count = bytes.readUInt32LE(take(4));
    for (let i = 0; i < count; i++) {
      const lengths = take(8);
      take(bytes.readUInt32LE(lengths) + bytes.readUInt32LE(lengths + 4));
    }
  }
  return sets;
}
