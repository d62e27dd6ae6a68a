/** The bound on what compressed data may expand to, and the words for data that is damaged. */
import { LayerfsError } from '../errors.js';
import { limits } from '../limits.js';

/**
 * Refuses a decompression bomb.
 * @param consumed compressed bytes that have been used up
 * @param produced uncompressed bytes that came of them
 * @throws LayerfsError COMPRESSION_INVALID
 */
export function assertExpansion(consumed: number, produced: number): void {
  if (produced <= limits.expansionFloor || produced <= consumed * limits.expansionRatio) return;
  throw compressionInvalid(
    `${consumed} bytes expand to more than ${limits.expansionRatio} times as many, which no layer does`,
  );
}

export function compressionInvalid(problem: string, cause?: unknown): LayerfsError {
  return new LayerfsError('COMPRESSION_INVALID', `compressed data: ${problem}`, { cause });
}

/**
 * What follows the end of compressed data: zero bytes are padding, as tape drives and some uploads add it.
 * @throws LayerfsError COMPRESSION_INVALID for anything else
 */
export function assertPadding(rest: Uint8Array): void {
  if (rest.some((byte) => byte !== 0)) throw compressionInvalid('something other than padding follows its end');
}
