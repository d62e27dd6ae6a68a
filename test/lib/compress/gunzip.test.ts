import t from 'tap';
import { gzipSync } from 'node:zlib';
import { createDecompressor } from '../../../lib/compress/decompress.js';
import { sample, through } from './feed.js';

const gunzip = (data: Uint8Array, size?: number): Promise<Buffer> =>
  through(createDecompressor('gzip'), data, size);

const small = sample(5000);
const large = sample(5 * 1024 * 1024);
const empty = Buffer.alloc(0);
const zeros = Buffer.alloc(700);

t.test('data that is right', async (t) => {
  const cases: { name: string; data: Buffer; expected: Buffer }[] = [
    { name: 'one member', data: gzipSync(small), expected: small },
    { name: 'more than a few chunks of output', data: gzipSync(large, { level: 1 }), expected: large },
    { name: 'nothing, compressed', data: gzipSync(empty), expected: empty },
    {
      name: 'two members',
      data: Buffer.concat([gzipSync(small), gzipSync(large)]),
      expected: Buffer.concat([small, large]),
    },
    {
      name: 'an empty member first, in the middle and last',
      data: Buffer.concat([
        gzipSync(empty),
        gzipSync(small),
        gzipSync(empty),
        gzipSync(small),
        gzipSync(empty),
      ]),
      expected: Buffer.concat([small, small]),
    },
    { name: 'zero bytes behind the end', data: Buffer.concat([gzipSync(small), zeros]), expected: small },
    {
      name: 'one zero byte behind the end',
      data: Buffer.concat([gzipSync(small), zeros.subarray(0, 1)]),
      expected: small,
    },
    {
      name: 'a name and a comment in the header',
      data: Buffer.concat([
        Buffer.from('1f8b0818000000000003', 'hex'),
        Buffer.from('n\0c\0'),
        gzipSync(small).subarray(10),
      ]),
      expected: small,
    },
  ];
  for (const { name, data, expected } of cases) {
    for (const size of [65_536, 321, 1]) {
      if (data.length / size > 50_000) continue;
      t.ok((await gunzip(data, size)).equals(expected), `${name}, in chunks of ${size}`);
    }
    const members = await gunzip(data, data.length);
    t.ok(members.equals(expected), `${name}, at once`);
  }
});

t.test('data that is not', async (t) => {
  const good = gzipSync(small);
  const changed = (at: number, change: number): Buffer => {
    const data = Buffer.from(good);
    data.writeUInt8(data.readUInt8(at) ^ change, at);
    return data;
  };
  const cases: Record<string, Buffer> = {
    'no bytes at all': empty,
    'not gzip': Buffer.from('hello, world'),
    'wrong checksum': changed(good.length - 8, 1),
    'wrong length': changed(good.length - 1, 1),
    'reserved compression method': changed(2, 1),
    'damage in the middle': changed(good.length >> 1, 0x55),
    'garbage behind the end': Buffer.concat([good, Buffer.from('garbage')]),
    'garbage behind zero bytes': Buffer.concat([good, zeros, Buffer.from('x')]),
    'a member behind zero bytes': Buffer.concat([good, zeros, good]),
    'a second member cut short': Buffer.concat([good, good.subarray(0, 100)]),
    'the first byte of a second member': Buffer.concat([good, good.subarray(0, 1)]),
  };
  for (const [name, data] of Object.entries(cases)) {
    for (const size of [65_536, 700, 1]) {
      await t.rejects(gunzip(data, size), { code: 'COMPRESSION_INVALID' }, `${name}, in chunks of ${size}`);
    }
  }
});

t.test('cut at every length', async (t) => {
  const good = gzipSync(Buffer.from('some text, some more text, and some other text'));
  for (let length = 0; length < good.length; length++) {
    await t.rejects(gunzip(good.subarray(0, length)), { code: 'COMPRESSION_INVALID' }, `${length} bytes`);
  }
});

t.test('a bomb is refused before it goes off', async (t) => {
  // A deflate block of zeros, as long as a window allows and repeated by hand: 1 MiB in 1 KiB, many times over.
  const member = gzipSync(Buffer.alloc(64 * 1024 * 1024), { level: 9 });
  t.ok(member.length * 1000 < 64 * 1024 * 1024);
  const bomb = Buffer.concat(Array.from({ length: 40 }, () => member));
  let produced = 0;
  const stream = createDecompressor('gzip');
  stream.on('data', (chunk: Buffer) => (produced += chunk.length));
  stream.end(bomb);
  const error = await new Promise((resolve) => stream.once('error', resolve).once('end', resolve));
  t.match(error, { code: 'COMPRESSION_INVALID', message: /1000 times/ });
  t.ok(produced <= 1026 * 1024 * 1024, `${produced} bytes came out`);
});

t.test('a slow consumer bounds what is inflated ahead of it', async (t) => {
  const stream = createDecompressor('gzip');
  stream.end(gzipSync(Buffer.alloc(64 * 1024 * 1024)));
  const iterator = stream[Symbol.asyncIterator]();
  await iterator.next();
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.ok(stream.readableLength <= 4 * 1024 * 1024, `${stream.readableLength} bytes are waiting`);
  let rest = 0;
  for await (const chunk of { [Symbol.asyncIterator]: () => iterator }) rest += (chunk as Buffer).length;
  t.ok(rest > 60 * 1024 * 1024, 'and nothing is lost');
});

t.test('cancelled', async (t) => {
  const controller = new AbortController();
  const stream = createDecompressor('gzip', { signal: controller.signal });
  stream.write(gzipSync(small).subarray(0, 100));
  const failed = new Promise((resolve) => stream.once('error', resolve));
  controller.abort();
  t.match(await failed, { code: 'ABORTED' });
});
