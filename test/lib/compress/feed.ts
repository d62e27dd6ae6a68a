import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Transform } from 'node:stream';

/** Cuts data in chunks of `size` bytes. */
export function* chunks(data: Uint8Array, size: number): Generator<Buffer> {
  for (let i = 0; i < data.length; i += size) yield Buffer.from(data.subarray(i, i + size));
}

/** All that comes out of a stream that is fed `data` in chunks. */
export async function through(stream: Transform, data: Uint8Array, size = 65_536): Promise<Buffer> {
  const output: Buffer[] = [];
  await pipeline(Readable.from(chunks(data, size)), stream, async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) output.push(chunk);
  });
  return Buffer.concat(output);
}

/** Bytes that compress neither well nor badly, always the same. */
export function sample(length: number, seed = 1): Buffer {
  const data = Buffer.alloc(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    data[i] = (state >> 16) & (i % 7 === 0 ? 0xff : 0x0f);
  }
  return data;
}
