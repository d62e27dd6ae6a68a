/** Sparse maps that stand in blocks after the header: GNU tar's old `S` type, and PAX sparse format 1.0. */
import { limits } from '../limits.js';
import { blockSize } from './block.js';
import type { Fail } from './fault.js';
import { parseDecimal, parseNumber } from './number.js';
import { SparseMap } from './sparse-map.js';

/** Reads a map block by block. */
export interface SparseMapReader {
  readonly map: SparseMap;
  /** Whether its blocks count as the member's data. */
  readonly isInData: boolean;
  /** Takes one block; true when the map is complete. */
  block(block: Buffer, fail: Fail): boolean;
}

/** `S`: four regions in the header, then blocks of 21 for as long as each says that another follows. */
export class OldSparseMapReader implements SparseMapReader {
  readonly map = new SparseMap();
  readonly isInData = false;

  /** Takes the header; true when it has the whole map. */
  header(block: Buffer, fail: Fail): boolean {
    this.#regions(block, 386, 4, fail);
    return block[482] === 0;
  }

  block(block: Buffer, fail: Fail): boolean {
    this.#regions(block, 0, 21, fail);
    return block[504] === 0;
  }

  #regions(block: Buffer, start: number, count: number, fail: Fail): void {
    // A region begins with a digit or a space; a NUL means that there are no more.
    for (let at = start; at < start + count * 24 && block[at] !== 0; at += 24) {
      for (const field of [
        { start: at, length: 12 },
        { start: at + 12, length: 12 },
      ]) {
        const value = parseNumber(block, field);
        if (Number.isNaN(value)) fail('a number in a sparse map is none');
        this.map.push(value, fail);
      }
    }
  }
}

/** The length of a file of type `S`, holes included; NaN where the header has none. */
export function oldSparseRealSize(header: Buffer): number {
  return parseNumber(header, { start: 483, length: 12 });
}

/** 1.0: decimal numbers, a newline after each, the first one their count; the last block is filled up. */
export class SparseMapTextReader implements SparseMapReader {
  readonly map = new SparseMap();
  readonly isInData = true;
  /** How many numbers there are to be; -1 before that is known. */
  #expected = -1;
  #digits = '';

  block(block: Buffer, fail: Fail): boolean {
    for (let at = 0; at < blockSize;) {
      const newline = block.indexOf(0x0a, at);
      this.#digits += block.toString('latin1', at, newline < 0 ? blockSize : newline);
      // 2^64 has 20 digits.
      if (this.#digits.length > 20) fail('a number in a sparse map is too long');
      if (newline < 0) return false;
      this.#line(fail);
      if (this.map.length === this.#expected) return true;
      at = newline + 1;
    }
    return false;
  }

  #line(fail: Fail): void {
    const value = parseDecimal(Buffer.from(this.#digits, 'latin1'), 0, this.#digits.length);
    if (Number.isNaN(value)) fail('a line of a sparse map is no number');
    this.#digits = '';
    if (this.#expected >= 0) {
      this.map.push(value, fail);
      return;
    }
    if (value > limits.sparseExtents) {
      fail(`a sparse file has ${value} regions, more than ${limits.sparseExtents}`, 'LIMIT_EXCEEDED');
    }
    this.#expected = value * 2;
  }
}
