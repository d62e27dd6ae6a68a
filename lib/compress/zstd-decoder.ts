/**
 * What decodes Zstandard frames (RFC 8878): the native library where it is installed, pure JavaScript
 * everywhere.
 */
import type { ZstdBinding } from './zstd-native.js';
import { compressionInvalid } from './expansion.js';
import { limits } from '../limits.js';
import { messageOf } from '../errors.js';

export interface Decoded {
  /** How many bytes of the input are used up. */
  readonly consumed: number;
  /** Never written to again. */
  readonly output: Uint8Array;
  /** Whether to call again even where the input is used up. */
  readonly more: boolean;
}

/** A frame may need a window of at most `limits.zstdWindow`, and no dictionary. */
export interface ZstdDecoder {
  /**
   * Takes a step: uses up input, makes output, or both.
   * @throws LayerfsError COMPRESSION_INVALID
   */
  decode(input: Buffer): Decoded;
  /** Between two frames, and before the first: where the data may end. */
  readonly betweenFrames: boolean;
}

/** Bytes of output of a step: large enough that the calls do not count. */
const outputSize = 512 * 1024;

export class NativeZstdDecoder implements ZstdDecoder {
  readonly #context;
  #buffer = Buffer.alloc(0);
  #betweenFrames = true;

  constructor(zstd: ZstdBinding) {
    this.#context = new zstd.DCtx();
    this.#context.setParameter(zstd.DParameter.windowLogMax, Math.log2(limits.zstdWindow));
  }

  get betweenFrames(): boolean {
    return this.#betweenFrames;
  }

  decode(input: Buffer): Decoded {
    if (this.#buffer.length === 0) this.#buffer = Buffer.allocUnsafeSlow(outputSize);
    try {
      const [left, produced, consumed] = this.#context.decompressStream(this.#buffer, input);
      const output = this.#buffer.subarray(0, produced);
      this.#buffer = this.#buffer.subarray(produced);
      this.#betweenFrames = left === 0;
      return { consumed, output, more: left !== 0 && this.#buffer.length === 0 };
    } catch (error) {
      throw compressionInvalid(`zstd: ${messageOf(error)}`, error);
    }
  }
}
