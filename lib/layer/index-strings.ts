/** Sections `names` and `targets` of a layer index: byte strings one after another, with nothing between them. */
import type { Bytes } from '../bytes.js';
import { checkIndexSize } from './index-format.js';

/** V8's Map ends at 2^24 keys; beyond this many, a string is not looked for but stored again. */
const maximumShared = 2 ** 23;

/** The section while it is written. Equal strings are stored once: a third of all names, or more, are seen again. */
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
