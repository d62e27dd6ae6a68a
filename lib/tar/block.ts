/** The unit of a tar archive: 512 bytes. */
export const blockSize = 512;

/** `size` rounded up to whole blocks. */
export function padded(size: number): number {
  return Math.ceil(size / blockSize) * blockSize;
}

/** One block that is filled again and again: a header being read or written. */
export class Block {
  readonly bytes: Buffer;
  readonly #words: Uint32Array;

  constructor() {
    const memory = new ArrayBuffer(blockSize);
    this.bytes = Buffer.from(memory);
    this.#words = new Uint32Array(memory);
  }

  /** Sum of all bytes: 0 for zeros only. */
  sum(): number {
    // Four bytes at a time, in 16-bit lanes (128 words of 255 stay below 2^16): the sum is what reading a header costs most.
    let even = 0;
    let odd = 0;
    for (const word of this.#words) {
      even += word & 0x00ff00ff;
      odd += (word >>> 8) & 0x00ff00ff;
    }
    return (even & 0xffff) + (even >>> 16) + (odd & 0xffff) + (odd >>> 16);
  }
}
