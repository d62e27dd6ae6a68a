/** gzip (RFC 1952), inflated in node's thread pool beside what the consumer does with the chunk before. */
import { Transform, type TransformCallback } from 'node:stream';
import { createGunzip, type Gunzip } from 'node:zlib';
import { wrapError } from '../errors.js';
import { compressionInvalid, expansionError, paddingError } from './expansion.js';

/**
 * Bytes of output of one trip to the thread pool. With node's default of 16 KiB the trips cost as much processor time as
 * the inflating; beyond 2 MiB nothing is gained.
 */
const outputSize = 2 * 1024 * 1024;

/** Compressed bytes taken ahead of the inflating, so that reading and hashing them goes on meanwhile. */
const inputAhead = 4 * 1024 * 1024;

/**
 * Decompresses any number of gzip members. Fails with LayerfsError COMPRESSION_INVALID for damaged or truncated data, for
 * anything but padding behind the last member, and for bombs.
 */
export class GunzipStream extends Transform {
  readonly #gunzip: Gunzip;
  /** Compressed bytes received. */
  #received = 0;
  /** Uncompressed bytes passed on. */
  #produced = 0;
  /** The chunk being inflated, and what to call when it has been. */
  #pending: { readonly chunk: Buffer; readonly done: TransformCallback } | null = null;
  /** What to call when all is inflated. */
  #flushed: TransformCallback | null = null;
  /** The last member has ended. */
  #ended = false;

  constructor() {
    super({ readableHighWaterMark: outputSize, writableHighWaterMark: inputAhead });
    this.#gunzip = createGunzip({ chunkSize: outputSize })
      .on('data', (chunk: Buffer) => this.#output(chunk))
      .on('end', () => this.#end())
      .on('error', (error) => this.destroy(compressionInvalid(`gzip: ${error.message}`, error)));
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#received += chunk.length;
    if (this.#ended) {
      done(paddingError(chunk));
      return;
    }
    this.#pending = { chunk, done };
    this.#gunzip.write(chunk, () => this.#consumed(null));
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
    callback(error === null ? null : (wrapError(error, 'decompress gzip') as Error));
  }

  #output(chunk: Buffer): void {
    this.#produced += chunk.length;
    const bomb = expansionError(this.#gunzip.bytesWritten, this.#produced);
    if (bomb !== null) this.destroy(bomb);
    else if (!this.push(chunk)) this.#gunzip.pause();
  }

  /** Where a zero byte follows a member, the gunzip ends before its input does, and never calls back for that chunk. */
  #end(): void {
    this.#ended = true;
    const unused = this.#received - this.#gunzip.bytesWritten;
    const chunk = this.#pending?.chunk;
    this.#consumed(chunk === undefined ? null : paddingError(chunk.subarray(chunk.length - unused)));
    this.#flushed?.();
  }

  #consumed(error: Error | null): void {
    const done = this.#pending?.done;
    this.#pending = null;
    done?.(error);
  }
}
