import { spawnSync } from 'node:child_process';
import t from 'tap';
import { xxhash, hash64 } from '../../../lib/hash.js';
import { createDecompressor } from '../../../lib/compress/decompress.js';
import { UnzstdStream } from '../../../lib/compress/unzstd.js';
import { NativeZstdDecoder, type ZstdDecoder } from '../../../lib/compress/zstd-decoder.js';
import { FzstdDecoder } from '../../../lib/compress/zstd-frames.js';
import { zstdBinding } from '../../../lib/compress/zstd-native.js';
import { sample, through } from './feed.js';
import { frame, header, rawBlock, reservedBlock, runBlock, skippable } from './zstd-frames.js';

const binding = zstdBinding();
const decoders: Record<string, (() => Promise<ZstdDecoder>) | undefined> = {
  fzstd: async () => new FzstdDecoder(await xxhash()),
  'zstd-napi': binding && (async () => new NativeZstdDecoder(binding)),
};

const noWriter = binding === undefined ? 'zstd-napi is not installed to write it' : false;

const text = Buffer.from('some text');
const hello = frame(rawBlock(text, true));
const empty = Buffer.alloc(0);
const zeros = Buffer.alloc(700);

async function withChecksum(content: Buffer, change = 0): Promise<Buffer> {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(Number((hash64(await xxhash(), content) & 0xffffffffn) ^ BigInt(change)));
  return Buffer.concat([header({ hasChecksum: true }), rawBlock(content, true), checksum]);
}

for (const [name, open] of Object.entries(decoders)) {
  const skip = open === undefined ? `${name} is not installed` : false;
  const unzstd = (data: Uint8Array, size?: number): Promise<Buffer> =>
    through(new UnzstdStream(open ?? (() => Promise.reject(new TypeError()))), data, size);

  t.test(`${name}: frames that are right`, { skip }, async (t) => {
    const run = Buffer.alloc(131_072, 7);
    const cases: Record<string, { data: Buffer; expected: Buffer }> = {
      'one raw block': { data: hello, expected: text },
      'blocks of each kind, some of them tiny': {
        data: frame(runBlock(7, 131_072), runBlock(1, 1), rawBlock(text), rawBlock(empty, true)),
        expected: Buffer.concat([run, Buffer.from([1]), text]),
      },
      'a frame of nothing': { data: frame(rawBlock(empty, true)), expected: empty },
      'a content size that is right': {
        data: Buffer.concat([header({ contentSize: 9 }), rawBlock(text, true)]),
        expected: text,
      },
      'a checksum that is right': { data: await withChecksum(text), expected: text },
      'two frames': { data: Buffer.concat([hello, hello]), expected: Buffer.concat([text, text]) },
      'skippable frames first, between and last': {
        data: Buffer.concat([
          skippable(5),
          hello,
          skippable(0, 15),
          skippable(70_000, 3),
          hello,
          skippable(1),
        ]),
        expected: Buffer.concat([text, text]),
      },
      'nothing but a skippable frame': { data: skippable(10), expected: empty },
      'zero bytes behind the end': { data: Buffer.concat([hello, zeros]), expected: text },
      'zero bytes behind a skippable frame': {
        data: Buffer.concat([hello, skippable(3), zeros]),
        expected: text,
      },
    };
    for (const [what, { data, expected }] of Object.entries(cases)) {
      for (const size of [65_536, 321, 1]) {
        t.ok((await unzstd(data, size)).equals(expected), `${what}, in chunks of ${size}`);
      }
    }
  });

  t.test(`${name}: frames that are not`, { skip }, async (t) => {
    const cases: Record<string, Buffer> = {
      'no bytes at all': empty,
      'not zstd': Buffer.from('hello, world'),
      'garbage behind the end': Buffer.concat([hello, Buffer.from('garbage')]),
      'garbage behind zero bytes': Buffer.concat([hello, zeros, Buffer.from('x')]),
      'a frame behind zero bytes': Buffer.concat([hello, zeros, hello]),
      'the reserved block type': frame(reservedBlock(true)),
      'a block longer than 128 KiB': frame(runBlock(0, 131_073, true)),
      'a reserved bit of the header': Buffer.concat([header({ reserved: true }), rawBlock(text, true)]),
      'a dictionary': Buffer.concat([header({ dictionary: 1 }), rawBlock(text, true)]),
      'a window of 256 MiB': Buffer.concat([header({ windowExponent: 18 }), rawBlock(text, true)]),
      'a window of 2 TiB': Buffer.concat([header({ windowExponent: 31 }), rawBlock(text, true)]),
      'a content size that is too small': Buffer.concat([header({ contentSize: 8 }), rawBlock(text, true)]),
      'a content size that is too large': Buffer.concat([header({ contentSize: 10 }), rawBlock(text, true)]),
      'a checksum that is wrong': await withChecksum(text, 1),
    };
    for (const [what, data] of Object.entries(cases)) {
      for (const size of [65_536, 1]) {
        await t.rejects(unzstd(data, size), { code: 'COMPRESSION_INVALID' }, `${what}, in chunks of ${size}`);
      }
    }
  });

  t.test(`${name}: cut at every length`, { skip }, async (t) => {
    const whole = Buffer.concat([skippable(3), await withChecksum(text)]);
    for (let length = 0; length < whole.length; length++) {
      const data = whole.subarray(0, length);
      if (length === 11) t.ok((await unzstd(data)).equals(empty), 'a skippable frame alone is complete');
      else await t.rejects(unzstd(data), { code: 'COMPRESSION_INVALID' }, `${length} bytes`);
    }
  });

  t.test(`${name}: a bomb is refused before it goes off`, { skip }, async (t) => {
    const block = runBlock(0, 131_072);
    const bomb = Buffer.concat([header({}), ...Array.from({ length: 20_000 }, () => block)]);
    let produced = 0;
    const stream = new UnzstdStream(open ?? (() => Promise.reject(new TypeError())));
    stream.on('data', (chunk: Buffer) => (produced += chunk.length));
    stream.end(bomb);
    const error = await new Promise((resolve) => stream.once('error', resolve).once('end', resolve));
    t.match(error, { code: 'COMPRESSION_INVALID', message: /1000 times/ });
    t.ok(produced <= 1026 * 1024 * 1024, `${produced} bytes came out`);
  });

  t.test(`${name}: a slow consumer bounds what is decoded ahead of it`, { skip }, async (t) => {
    const blocks = Array.from({ length: 500 }, (_, i) => runBlock(i & 0xff, 131_072, i === 499));
    const stream = new UnzstdStream(open ?? (() => Promise.reject(new TypeError())));
    stream.end(frame(...blocks));
    const iterator = stream[Symbol.asyncIterator]();
    let length = ((await iterator.next()).value as Buffer).length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    t.ok(stream.readableLength <= 2 * 1024 * 1024, `${stream.readableLength} bytes are waiting`);
    for await (const chunk of { [Symbol.asyncIterator]: () => iterator }) length += (chunk as Buffer).length;
    t.equal(length, 500 * 131_072, 'and nothing is lost');
  });

  t.test(`${name}: what a compressor writes`, { skip: skip || noWriter }, async (t) => {
    const content = Buffer.concat([sample(1_500_000), Buffer.alloc(500_000), sample(700_000, 2)]);
    for (const level of [-5, 1, 3, 9, 19]) {
      const data = compress(content, level);
      for (const size of [1_000_000, 65_536, 4099]) {
        t.ok((await unzstd(data, size)).equals(content), `level ${level}, in chunks of ${size}`);
      }
    }
    const good = compress(content, 3);
    for (let i = 0; i < 24; i++) {
      const damaged = Buffer.from(good);
      const at = Math.floor((good.length / 24) * i);
      damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << (i % 8)), at);
      await t.rejects(unzstd(damaged), { code: 'COMPRESSION_INVALID' }, `damaged at ${at}`);
    }
  });
}

function compress(content: Buffer, level: number): Buffer {
  const context = new binding!.CCtx();
  context.setParameter(binding!.CParameter.compressionLevel, level);
  context.setParameter(binding!.CParameter.checksumFlag, 1);
  const buffer = Buffer.alloc(binding!.compressBound(content.length));
  return buffer.subarray(0, context.compress2(buffer, content));
}

const noCommand = spawnSync('zstd', ['--version']).error ? 'the zstd command is not installed' : false;

t.test('what the zstd command writes', { skip: noCommand }, async (t) => {
  const content = sample(2_000_000);
  const run = { input: content, maxBuffer: 1 << 26 };
  const data = spawnSync('zstd', ['-q', '-c', '-19', '--long=27', '--check'], run).stdout;
  t.ok((await through(createDecompressor('zstd'), data)).equals(content));
  const fzstd = new UnzstdStream(async () => new FzstdDecoder(await xxhash()));
  t.ok((await through(fzstd, data)).equals(content));
});
