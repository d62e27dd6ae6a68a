/** The digest and length of a stream. */
import { hasher, type Digest } from '../digest.js';
import type { Expected } from '../content/verify.js';

export class DigestMeter {
  readonly #hash = hasher();
  #size = 0;

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#size += chunk.length;
  }

  /** Of everything so far; to be called once. */
  result(): Expected {
    return { digest: `sha256:${this.#hash.digest('hex')}` as Digest, size: this.#size };
  }
}

/** Passes a stream on as it is, and tells `meter` of it. */
export async function* metered(source: AsyncIterable<Buffer>, meter: DigestMeter): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    meter.update(chunk);
    yield chunk;
  }
}

/** Reads a stream to its end. */
export async function digestOfStream(source: AsyncIterable<Buffer>): Promise<Expected> {
  const meter = new DigestMeter();
  for await (const chunk of source) meter.update(chunk);
  return meter.result();
}
