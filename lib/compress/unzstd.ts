/**
 * Zstandard (RFC 8878), any number of frames, skippable ones among them, as zstd:chunked and parallel writers
 * make them.
 */
import { Transform, type TransformCallback } from 'node:stream';
import { wrapError } from '../errors.js';
import { compressionInvalid, expansionError, paddingError } from './expansion.js';
import type { ZstdDecoder } from './zstd-decoder.js';

/** Compressed bytes taken ahead of the decoding. */
const inputAhead = 1024 * 1024;

/**
 * Decompresses Zstandard in this thread. Fails with LayerfsError COMPRESSION_INVALID for damaged or truncated
 * data, for anything but padding behind the last frame, for bombs, and for frames that need a dictionary or a
 * window over the limit.
 */
export class UnzstdStream extends Transform {
  readonly #open: () => Promise<ZstdDecoder>;
  #decoder: ZstdDecoder | null = null;
  #input: Buffer = Buffer.alloc(0);
  #done: TransformCallback | null = null;
  /** The consumer has enough for now, and there is more to decode. */
  #stalled = false;
  #received = 0;
  #produced = 0;
  /** The decoder has output for which it needs no more input. */
  #hasMore = false;
  #isPadding = false;

  constructor(open: () => Promise<ZstdDecoder>) {
    // One chunk, whatever its size: two would be joined when they are read, at the cost of a copy.
    super({ readableHighWaterMark: 1, writableHighWaterMark: inputAhead });
    this.#open = open;
  }

  override _construct(callback: (error?: Error | null) => void): void {
    this.#open().then(
      (decoder) => {
        this.#decoder = decoder;
        callback();
      },
      (error: unknown) => callback(error as Error),
    );
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#received += chunk.length;
    this.#input = chunk;
    this.#done = done;
    this.#decode();
  }

  override _flush(done: TransformCallback): void {
    const isComplete = this.#received > 0 && (this.#isPadding || this.#decoder?.betweenFrames === true);
    done(isComplete ? null : compressionInvalid('zstd: unexpected end'));
  }

  override _read(size: number): void {
    if (this.#stalled) {
      this.#stalled = false;
      // Not at once: what it brings would be joined with the chunk that is being read.
      process.nextTick(() => this.#decode());
    }
    super._read(size);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    callback(error === null ? null : (wrapError(error, 'decompress zstd') as Error));
  }

  #decode(): void {
    if (this.destroyed) return;
    try {
      this.#steps();
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #steps(): void {
    const decoder = this.#decoder;
    if (decoder === null) throw new TypeError('the stream has not been constructed');
    while (this.#hasMore || this.#input.length > 0) {
      const isBegun = this.#received > this.#input.length;
      this.#isPadding ||= isBegun && decoder.betweenFrames && this.#input[0] === 0;
      if (this.#isPadding) {
        this.#consumed(paddingError(this.#input));
        return;
      }
      const { consumed, output, more } = decoder.decode(this.#input);
      this.#input = this.#input.subarray(consumed);
      this.#hasMore = more;
      this.#produced += output.length;
      const bomb = expansionError(this.#received - this.#input.length, this.#produced);
      if (bomb !== null) {
        this.#consumed(bomb);
        return;
      }
      if (output.length > 0 && !this.push(output)) {
        this.#stalled = true;
        return;
      }
    }
    this.#consumed(null);
  }

  #consumed(error: Error | null): void {
    const done = this.#done;
    this.#done = null;
    done?.(error);
  }
}
