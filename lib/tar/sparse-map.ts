/** The map of a sparse file: where its stored bytes belong. */
import type { Extent } from '../layer/entry.js';
import { limits } from '../limits.js';
import type { Fail } from './fault.js';

/** Numbers as they are read: offset and length by turns. */
export class SparseMap {
  readonly #numbers: number[] = [];

  /** How many numbers there are. */
  get length(): number {
    return this.#numbers.length;
  }

  push(value: number, fail: Fail): void {
    if (this.#numbers.length === 2 * limits.sparseExtents) {
      fail(`a sparse file has more than ${limits.sparseExtents} regions`, 'LIMIT_EXCEEDED');
    }
    this.#numbers.push(value);
  }

  /**
   * The extents of a file of `size` bytes of which `stored` are in the archive, one region's right after another's; null
   * where there is no hole. Regions of no bytes, with which GNU tar marks the end, are left out.
   *
   * @throws TAR_INVALID through `fail` unless the regions ascend, do not overlap, stay in the file and use every stored byte
   */
  extents(size: number, stored: number, fail: Fail): readonly Extent[] | null {
    const extents: Extent[] = [];
    let end = 0;
    let total = 0;
    for (let index = 0; index < this.#numbers.length; index += 2) {
      const offset = this.#numbers[index] ?? NaN;
      const length = this.#numbers[index + 1] ?? NaN;
      if (!(offset >= end && length >= 0 && offset + length <= size)) {
        fail('the regions of a sparse file overlap, are out of order or lie outside of it');
      }
      end = offset + length;
      total += length;
      if (length > 0) extents.push({ offset, size: length });
    }
    if (total !== stored) fail(`the regions of a sparse file have ${total} bytes, but ${stored} are stored`);
    return total === size ? null : extents;
  }
}
