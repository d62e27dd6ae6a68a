/** Unwrapping a stream that may be compressed. */
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Abortable } from '../abort.js';
import { createDecompressor } from '../compress/decompress.js';
import { detectCompression, detectionLength } from '../compress/detect.js';
import { wrapError } from '../errors.js';

/**
 * The bytes of `source`, decompressed where its first bytes say that it is compressed: once, whatever comes out.
 *
 * @throws LayerfsError COMPRESSION_INVALID, COMPRESSION_UNSUPPORTED, ABORTED, and whatever `source` throws
 */
export async function* decompressed(
  source: AsyncIterable<Uint8Array>,
  options: Abortable = {},
): AsyncGenerator<Buffer> {
  const input = source[Symbol.asyncIterator]();
  try {
    const start = await readStart(input);
    const compression = detectCompression(start);
    const whole = prepended(start, input);
    if (compression === 'none') yield* whole;
    else yield* through(whole, createDecompressor(compression, options));
  } finally {
    await input.return?.();
  }
}

async function* through(source: AsyncIterable<Buffer>, decompressor: Transform): AsyncGenerator<Buffer> {
  const fed = pipeline(source, decompressor).catch((error: unknown) => {
    // Whatever goes wrong in front comes out behind, with its reason; a reader that goes away needs none.
    decompressor.destroy(error instanceof Error ? error : undefined);
  });
  try {
    for await (const chunk of decompressor) yield chunk as Buffer;
  } catch (error) {
    throw wrapError(error, 'decompress');
  } finally {
    decompressor.destroy();
    await fed;
  }
}

/** Enough of the beginning to tell the compression from. */
async function readStart(input: AsyncIterator<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (let length = 0; length < detectionLength;) {
    const next = await input.next();
    if (next.done === true) break;
    chunks.push(next.value);
    length += next.value.length;
  }
  return Buffer.concat(chunks);
}

async function* prepended(start: Buffer, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Buffer> {
  if (start.length > 0) yield start;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
    yield Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length);
  }
}
