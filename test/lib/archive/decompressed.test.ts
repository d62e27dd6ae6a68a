import { setImmediate } from 'node:timers/promises';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { decompressed } from '../../../lib/archive/decompressed.js';

const plain = Buffer.alloc(300_000, 'some text, ');

async function* inChunks(data: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < data.length; offset += size) yield data.subarray(offset, offset + size);
}

t.test('a stream comes out plain, however it comes in', async (t) => {
  const cases: Record<string, [data: Buffer, expected: Buffer]> = {
    plain: [plain, plain],
    gzip: [gzipSync(plain), plain],
    'gzip in gzip is unwrapped once': [gzipSync(gzipSync(plain)), gzipSync(plain)],
    nothing: [Buffer.alloc(0), Buffer.alloc(0)],
    'less than a magic number': [Buffer.from([0x1f]), Buffer.from([0x1f])],
  };
  for (const [name, [data, expected]] of Object.entries(cases)) {
    for (const size of [1, 321, 65_536]) {
      if (size === 1 && data.length > 10_000) continue;
      t.ok(
        (await buffer(decompressed(inChunks(data, size)))).equals(expected),
        `${name}, ${size} bytes at a time`,
      );
    }
  }
});

t.test('what goes wrong comes out', async (t) => {
  const boom = new Error('boom');
  async function* failing(start: Buffer): AsyncGenerator<Buffer> {
    yield start;
    throw boom;
  }
  await t.rejects(buffer(decompressed(failing(plain))), boom, 'in a plain source');
  await t.rejects(
    buffer(decompressed(failing(gzipSync(plain).subarray(0, 500)))),
    boom,
    'in a compressed one',
  );
  await t.rejects(buffer(decompressed(failing(Buffer.alloc(1)))), boom, 'before the compression is known');
  const cut = gzipSync(plain).subarray(0, -20);
  await t.rejects(buffer(decompressed(inChunks(cut, 100))), { code: 'COMPRESSION_INVALID' }, 'cut short');
  const signal = AbortSignal.abort();
  await t.rejects(buffer(decompressed(inChunks(gzipSync(plain), 100), { signal })), { code: 'ABORTED' });
});

t.test('the source is closed, whatever happens', async (t) => {
  const xz = Buffer.from('fd377a585a000004e6d6b446', 'hex');
  for (const [name, start, read] of [
    ['a reader that stops', plain, 1],
    ['a reader of a compressed source that stops', gzipSync(Buffer.alloc(10_000_000)), 1],
    ['a compression that cannot be read', xz, Infinity],
    ['damaged data', Buffer.from('1f8b08000000000000030fff', 'hex'), Infinity],
  ] as const) {
    let closed = false;
    const source = (async function* (): AsyncGenerator<Buffer> {
      try {
        yield start;
        for (;;) {
          await setImmediate();
          yield plain;
        }
      } finally {
        closed = true;
      }
    })();
    let chunks = 0;
    try {
      for await (const chunk of decompressed(source)) {
        if (chunk.length > 0 && ++chunks >= read) break;
      }
    } catch (error) {
      t.match(error, { code: /^COMPRESSION_/ }, name);
    }
    t.ok(closed, name);
  }
});
