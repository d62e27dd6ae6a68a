/** gzip (RFC 1952), as fast as node:zlib can: in its thread pool, beside what the consumer does with the chunk before. */
import { Transform, type TransformCallback } from 'node:stream';
import { createGunzip, type Gunzip } from 'node:zlib';
import { wrapError } from '../errors.js';
import { assertExpansion, assertPadding, compressionInvalid } from './expansion.js';

/**
 * Bytes of output of one trip to the thread pool. Trips cost about as much as inflating 64 KiB: with node's default
 * of 16 KiB decompression takes twice the processor time, beyond 2 MiB nothing is gained (benchmarks/).
 */
const outputSize = 2 * 1024 * 1024;

/** Compressed bytes accepted ahead of the inflating, so that reading and hashing them goes on meanwhile. */
const inputAhead = 4 * 1024 * 1024;

/**
 * Decompresses gzip of any number of members. Zero bytes after the last one are padding.
 * Fails with LayerfsError COMPRESSION_INVALID for damaged or truncated data, other bytes behind it, and bombs.
 */
export class GunzipStream extends Transform {
  readonly #gunzip: Gunzip;
  /** Compressed bytes received. */
  #received = 0;
  /** Uncompressed bytes passed on. */
  #produced = 0;
  /** The chunk being inflated, and what to call when it has been. */
  #pending: { readonly chunk: Buffer; readonly done: TransformCallback } | null = null;
  #flushed: TransformCallback | null = null;
  /** The last member has ended, and what follows is padding. */
  #ended = false;

  constructor() {
    super({ readableHighWaterMark: outputSize, writableHighWaterMark: inputAhead });
    this.#gunzip = createGunzip({ chunkSize: outputSize });
    this.#gunzip.on('data', (chunk: Buffer) => this.#output(chunk));
    this.#gunzip.on('end', () => this.#end());
    this.#gunzip.on('error', (error: Error) => this.destroy(compressionInvalid(`gzip: ${error.message}`, error)));
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#received += chunk.length;
    if (this.#ended) {
      this.#attempt(() => assertPadding(chunk), done);
      return;
    }
    this.#pending = { chunk, done };
    this.#gunzip.write(chunk, () => this.#consumed());
  }

  override _flush(done: TransformCallback): void {
    if (this.#ended) {
      done();
      return;
    }
    this.#flushed = done;
    this.#gunzip.end();
  }

  override _read(size: number): void {
    this.#gunzip.resume();
    super._read(size);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#gunzip.destroy();
    callback(error === null ? null : (wrapError(error, 'decompress') as Error));
  }

  #output(chunk: Buffer): void {
    this.#produced += chunk.length;
    this.#attempt(() => assertExpansion(this.#gunzip.bytesWritten, this.#produced));
    if (!this.push(chunk)) this.#gunzip.pause();
  }

  #consumed(): void {
    const pending = this.#pending;
    this.#pending = null;
    pending?.done();
  }

  /** The gunzip ends of its own accord where a zero byte follows a member, and then does not report the chunk as done. */
  #end(): void {
    this.#ended = true;
    if (this.#pending !== null) {
      const { chunk } = this.#pending;
      const rest = chunk.subarray(chunk.length - (this.#received - this.#gunzip.bytesWritten));
      this.#attempt(() => assertPadding(rest));
      this.#consumed();
    }
    this.#flushed?.();
  }

  #attempt(check: () => void, done?: TransformCallback): void {
    try {
      check();
      done?.();
    } catch (error) {
      this.destroy(error as Error);
    }
  }
}
