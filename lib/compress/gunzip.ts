/** gzip (RFC 1952), inflated in node's thread pool beside what the consumer does with the chunk before. */
import { Transform, type TransformCallback } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { wrapError } from '../errors.js';
import { compressionInvalid, expansionError, paddingError } from './expansion.js';

/**
 * Bytes of output of one trip to the thread pool. With node's default of 16 KiB the trips cost as much
 * processor time as the inflating; beyond 1 MiB next to nothing is gained, and memory is lost.
 */
const outputSize = 1024 * 1024;

/** Chunks of input taken ahead of the inflating, so that reading and hashing them goes on meanwhile. */
const inputAhead = 2;

/**
 * Decompresses any number of gzip members. Fails with LayerfsError COMPRESSION_INVALID for damaged or truncated
 * data, for anything but padding behind the last member, and for bombs.
 *
 * While the consumer works on a chunk, the next one is being inflated: the gunzip always has input waiting, and
 * taking a chunk out of it sends it back to work at once.
 */
export class GunzipStream extends Transform {
  readonly #gunzip = createGunzip({ chunkSize: outputSize });
  /** Chunks that are not inflated to their end. */
  readonly #ahead: Buffer[] = [];
  /** Compressed bytes received. */
  #received = 0;
  /** Uncompressed bytes passed on. */
  #produced = 0;
  /** The consumer waits for a chunk. */
  #isWanted = false;
  /** A chunk on its way to the consumer. */
  #held: Buffer | null = null;
  /** What to call when more input may come. */
  #accepted: TransformCallback | null = null;
  /** What to call when all is inflated. */
  #flushed: TransformCallback | null = null;
  /** The last member has ended. */
  #ended = false;

  constructor() {
    // One chunk, whatever its size: two would be joined when they are read, at the cost of a copy.
    super({ readableHighWaterMark: 1 });
    this.#gunzip
      .on('readable', () => {
        this.#take();
        this.#give();
      })
      .on('end', () => this.#end())
      .on('error', (error) => this.destroy(compressionInvalid(`gzip: ${error.message}`, error)));
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#received += chunk.length;
    if (this.#ended) {
      done(paddingError(chunk));
      return;
    }
    this.#accepted = done;
    this.#ahead.push(chunk);
    this.#gunzip.write(chunk, () => {
      this.#ahead.shift();
      this.#accept();
    });
    this.#accept();
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
    super._read(size);
    this.#isWanted = true;
    this.#take();
    // Not at once: it would be joined with the chunk that is being read.
    if (this.#held !== null) process.nextTick(() => this.#give());
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#gunzip.destroy();
    callback(error === null ? null : (wrapError(error, 'decompress gzip') as Error));
  }

  #accept(): void {
    if (this.#ahead.length >= inputAhead) return;
    const done = this.#accepted;
    this.#accepted = null;
    done?.();
  }

  /** Takes the chunk that is ready, if any, whereupon the gunzip begins the next. */
  #take(): void {
    if (!this.#isWanted) return;
    this.#held = this.#gunzip.read() as Buffer | null;
    this.#isWanted = this.#held === null;
  }

  #give(): void {
    const chunk = this.#held;
    if (chunk === null) return;
    this.#held = null;
    this.#produced += chunk.length;
    const bomb = expansionError(this.#gunzip.bytesWritten, this.#produced);
    if (bomb === null) this.push(chunk);
    else this.destroy(bomb);
  }

  /**
   * The gunzip ends of its own accord where a zero byte follows a member: whatever it has not used must be
   * padding.
   */
  #end(): void {
    this.#give();
    this.#ended = true;
    const rest = Buffer.concat(this.#ahead);
    const unused = this.#received - this.#gunzip.bytesWritten;
    const error = paddingError(rest.subarray(rest.length - unused));
    if (error !== null) {
      this.destroy(error);
      return;
    }
    this.#ahead.length = 0;
    this.#accept();
    this.#flushed?.();
  }
}
