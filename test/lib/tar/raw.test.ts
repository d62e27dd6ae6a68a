import t from 'tap';
import { RawTarEncoder, rebuildTar } from '../../../lib/tar/raw.js';
import { TarReader } from '../../../lib/tar/reader.js';
import { end, member, pax, random } from './support.js';

async function* chunks(buffer: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < buffer.length; at += size) yield buffer.subarray(at, at + size);
}

async function collect(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of source) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

/** What is kept of an archive that is told in runs: bytes are raw, numbers are lengths of data. */
function encode(runs: readonly (Buffer | number)[]): Buffer {
  const parts: Buffer[] = [];
  const encoder = new RawTarEncoder((part) => parts.push(part));
  for (const run of runs) {
    if (typeof run === 'number') encoder.data(run);
    else encoder.raw(run);
  }
  encoder.end();
  return Buffer.concat(parts);
}

const rebuild = (kept: Buffer, tar: Buffer, size = kept.length): Promise<Buffer> =>
  collect(
    rebuildTar(chunks(kept, size), (offset, length) => chunks(tar.subarray(offset, offset + length), 1000)),
  );

t.test('the form, byte for byte', async (t) => {
  t.equal(encode([]).toString('latin1'), 'LFSRAW\x01\0' + '\0'.repeat(12), 'nothing');
  t.equal(
    encode([Buffer.from('ab'), Buffer.from('c'), 258, 2 ** 33, Buffer.from('d')]).toString('latin1'),
    'LFSRAW\x01\0' + '\x03\0\0\0abc\x02\x01\0\0\x02\0\0\0' + '\x01\0\0\0d\0\0\0\0\0\0\0\0' + '\0'.repeat(12),
  );
});

t.test('runs of one byte', async (t) => {
  const runs = [Buffer.from('a'), 1, Buffer.from('b'), Buffer.from('c'), 2];
  t.equal((await rebuild(encode(runs), Buffer.from('aDbcDD'))).toString(), 'aDbcDD');
});

t.test('what a reader tells is put together again', async (t) => {
  const tar = Buffer.concat([
    member({ name: 'd/', type: '5' }),
    member({ name: 'a' }, 'a'.repeat(5000)),
    pax([['comment', 'c'.repeat(70_000)]]),
    member({ name: 'b' }, 'b'.repeat(512)),
    ...Array.from({ length: 300 }, (_, index) => member({ name: `empty${index}` })),
    member({ name: 'c' }, 'c'),
    end,
    Buffer.from('garbage'),
  ]);
  const parts: Buffer[] = [];
  const encoder = new RawTarEncoder((part) => parts.push(part));
  const reader = new TarReader({
    member: () => undefined,
    memberEnd: () => undefined,
    data: (bytes) => encoder.data(bytes.length),
    raw: (bytes) => encoder.raw(bytes),
  });
  for (let at = 0; at < tar.length; at += 999) {
    // A chunk may be used again as soon as it is written.
    const chunk = Buffer.from(tar.subarray(at, at + 999));
    reader.write(chunk);
    chunk.fill(0xee);
  }
  reader.end();
  encoder.end();
  const kept = Buffer.concat(parts);
  for (const size of [1, 7, 1024, kept.length])
    t.ok((await rebuild(kept, tar, size)).equals(tar), `in chunks of ${size}`);
});

t.test('random runs', async (t) => {
  const next = random(7);
  for (let round = 0; round < 15; round++) {
    const runs = Array.from({ length: next(20) }, () =>
      next(2) === 0 ? next(3000) : Buffer.alloc(next(200_000), next(256)),
    );
    const tar = Buffer.concat(runs.map((run) => (typeof run === 'number' ? Buffer.alloc(run, 'd') : run)));
    t.ok((await rebuild(encode(runs), tar, 1 + next(100_000))).equals(tar), `round ${round}`);
  }
});

t.test('damage', async (t) => {
  const tar = Buffer.from('rawDATAraw');
  const kept = encode([Buffer.from('raw'), 4, Buffer.from('raw')]);
  t.ok((await rebuild(kept, tar)).equals(tar));
  for (let length = 0; length < kept.length; length++) {
    await t.rejects(rebuild(kept.subarray(0, length), tar), { code: 'STORE_INVALID' }, `cut at ${length}`);
  }
  const damaged = (offset: number, value: number): Buffer => {
    const copy = Buffer.from(kept);
    copy[offset] = value;
    return copy;
  };
  await t.rejects(rebuild(damaged(6, 2), tar), { code: 'STORE_INVALID' }, 'a newer version');
  await t.rejects(rebuild(damaged(11, 1), tar), { code: 'STORE_INVALID' }, 'a raw run over the limit');
  await t.rejects(rebuild(damaged(22, 0x20), tar), { code: 'STORE_INVALID' }, 'a data run over 2^53');
  await t.rejects(
    rebuild(damaged(15, 50), tar),
    { code: 'STORE_INVALID' },
    'a data run that is longer than the data',
  );
  await t.rejects(
    rebuild(Buffer.concat([kept, Buffer.alloc(1)]), tar),
    { code: 'STORE_INVALID' },
    'a byte at the end',
  );
  await t.rejects(
    rebuild(Buffer.concat([kept, Buffer.alloc(12)]), tar),
    { code: 'STORE_INVALID' },
    'a record at the end',
  );
  const longer = rebuildTar(chunks(kept, 100), () => chunks(Buffer.alloc(5), 2));
  await t.rejects(collect(longer), { code: 'STORE_INVALID' }, 'a source that yields too much');
});
