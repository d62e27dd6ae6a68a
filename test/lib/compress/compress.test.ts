import Module from 'node:module';
import t from 'tap';
import { createCompressor } from '../../../lib/compress/compress.js';
import { createDecompressor } from '../../../lib/compress/decompress.js';
import { detectCompression } from '../../../lib/compress/detect.js';
import { zstdBinding } from '../../../lib/compress/zstd-native.js';
import { sample, through } from './feed.js';

const content = sample(1_000_000);
const noZstd = zstdBinding() === undefined;

for (const compression of ['none', 'gzip', 'zstd'] as const) {
  const skip = compression === 'zstd' && noZstd ? 'zstd-napi is not installed' : false;

  t.test(`${compression}: decompress(compress(x)) is x`, { skip }, async (t) => {
    for (const [name, data] of Object.entries({ content, nothing: Buffer.alloc(0) })) {
      const compressed = await through(createCompressor(compression), data);
      if (compression !== 'none')
        t.equal(detectCompression(compressed), compression, `${name} is told apart`);
      t.ok((await through(createDecompressor(compression), compressed)).equals(data), name);
    }
  });

  t.test(`${compression}: the same bytes each time, however they come`, { skip }, async (t) => {
    const once = await through(createCompressor(compression), content);
    const again = await through(createCompressor(compression), content, 10_007);
    t.ok(once.equals(again));
  });

  if (compression === 'none') continue;
  t.test(`${compression}: levels`, { skip }, async (t) => {
    const fast = await through(createCompressor(compression, { level: 1 }), content);
    const small = await through(createCompressor(compression, { level: 9 }), content);
    t.ok(small.length < fast.length, `${small.length} and ${fast.length} bytes`);
  });
}

t.test('a gzip header tells neither time nor name nor machine', async (t) => {
  const header = (await through(createCompressor('gzip'), content)).subarray(0, 10);
  t.equal(header.toString('hex'), '1f8b0800000000000003');
});

t.test('a zstd frame ends with a checksum', { skip: noZstd && 'zstd-napi is not installed' }, async (t) => {
  const frame = await through(createCompressor('zstd'), content);
  t.equal(frame.readUInt8(4) & 4, 4);
});

t.test('writing zstd without zstd-napi', async (t) => {
  // What require() does where the optional dependency could not be built.
  const loader = Module as unknown as { _load(request: string, ...rest: unknown[]): unknown };
  const load = loader._load.bind(loader);
  loader._load = (request, ...rest) => {
    if (!request.startsWith('zstd-napi')) return load(request, ...rest);
    throw Object.assign(new Error(`Cannot find module '${request}'`), { code: 'MODULE_NOT_FOUND' });
  };
  try {
    t.throws(() => createCompressor('zstd'), { code: 'COMPRESSION_UNSUPPORTED' });
  } finally {
    loader._load = load;
  }
});
