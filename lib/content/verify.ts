/** Verification in the stream: bytes that are not what their descriptor promises never come to a good end. */
import { algorithmOf, hasher, type Digest } from '../digest.js';
import { LayerfsError } from '../errors.js';
import { throwIfAborted, type Abortable } from '../abort.js';

/** What bytes must be: every descriptor is one. */
export interface Expected {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

/**
 * The bytes of `source`, ending only if they have the expected size and digest. At most one chunk beyond the
 * expected size is read, and no byte beyond it is passed on. A consumer that stops early has verified nothing.
 * @throws LayerfsError SIZE_MISMATCH, DIGEST_MISMATCH, ABORTED
 */
export async function* verified(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  expected: Expected,
  options: Abortable = {},
): AsyncGenerator<Buffer> {
  const verifier = new Verifier(expected);
  for await (const chunk of source) {
    throwIfAborted(options.signal, `read ${expected.digest}`);
    verifier.update(chunk);
    yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
  }
  verifier.end();
}

/** The same for code that has its bytes in hand chunk by chunk. */
export class Verifier {
  readonly #expected: Expected;
  readonly #hash;
  #size = 0;

  constructor(expected: Expected) {
    this.#expected = expected;
    this.#hash = hasher(algorithmOf(expected.digest));
  }

  /** @throws LayerfsError SIZE_MISMATCH with the first byte too many */
  update(chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#size > this.#expected.size)
      throw sizeMismatch(this.#expected, `more than ${this.#expected.size}`);
    this.#hash.update(chunk);
  }

  /** @throws LayerfsError SIZE_MISMATCH, DIGEST_MISMATCH */
  end(): void {
    const { digest, size } = this.#expected;
    if (this.#size < size) throw sizeMismatch(this.#expected, String(this.#size));
    const actual = `${algorithmOf(digest)}:${this.#hash.digest('hex')}`;
    if (actual !== digest) {
      throw new LayerfsError('DIGEST_MISMATCH', `${digest}: the bytes have digest ${actual}`, {
        detail: { digest, expected: digest, actual },
      });
    }
  }
}

/** @param actual how many bytes there are, in words */
export function sizeMismatch({ digest, size }: Expected, actual: string): LayerfsError {
  return new LayerfsError('SIZE_MISMATCH', `${digest}: ${actual} bytes, the descriptor says ${size}`, {
    detail: { digest, expected: size, actual },
  });
}
