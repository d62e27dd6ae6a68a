/** xxHash: fingerprints of file contents and checksums of our own files. Never an identity: that is lib/digest.ts. */
import createXxhash, { type XXHash, type XXHashAPI } from 'xxhash-wasm';

/** A running xxh64: `update(chunk)` any number of times, then `digest()`. */
export type Hash64 = XXHash<bigint>;

let instance: Promise<XXHashAPI> | undefined;

/**
 * The one WebAssembly instance of this thread, made at the first call (about 1 ms). Await it once, before a hot
 * path: `create64()` and `h64Raw(buffer)` are synchronous.
 *
 * `h64Raw` copies its whole input into memory that never shrinks: it is for short input; `hash64` takes any.
 */
export function xxhash(): Promise<XXHashAPI> {
  return (instance ??= createXxhash());
}

/** Large enough that the cost of a call vanishes, small enough to stay in the processor's cache. */
const chunkSize = 64 * 1024;

/** xxh64 (seed 0) of a buffer of any length. */
export function hash64(api: XXHashAPI, data: Uint8Array): bigint {
  if (data.length <= chunkSize) return api.h64Raw(data);
  const hash = api.create64();
  for (let offset = 0; offset < data.length; offset += chunkSize) {
    hash.update(data.subarray(offset, offset + chunkSize));
  }
  return hash.digest();
}
