/** What is refused about compressed data of any format: bombs, and bytes behind its end. */
import { LayerfsError } from '../errors.js';
import { limits } from '../limits.js';

export function compressionInvalid(problem: string, cause?: unknown): LayerfsError {
  return new LayerfsError('COMPRESSION_INVALID', `compressed data: ${problem}`, { cause });
}

/**
 * COMPRESSION_INVALID for a decompression bomb.
 * @param consumed compressed bytes that have been used up
 * @param produced uncompressed bytes that came of them
 */
export function expansionError(consumed: number, produced: number): LayerfsError | null {
  if (produced <= limits.expansionFloor || produced <= consumed * limits.expansionRatio) return null;
  return compressionInvalid(
    `${consumed} bytes expand to more than ${limits.expansionRatio} times as many, which no layer does`,
  );
}

/**
 * COMPRESSION_INVALID for anything but zero bytes behind the end: those are padding, which tapes, block devices
 * and some uploads add.
 */
export function paddingError(rest: Uint8Array): LayerfsError | null {
  if (rest.every((byte) => byte === 0)) return null;
  return compressionInvalid('something other than padding follows its end');
}
