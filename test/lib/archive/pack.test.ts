import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { packArchive, type PackMember } from '../../../lib/archive/pack.js';
import { scanArchive } from '../../../lib/archive/scan.js';
import { digestOf } from '../../../lib/digest.js';

function member(name: string, ...chunks: string[]): PackMember {
  const body = chunks.map((chunk) => Buffer.from(chunk));
  return { name, size: body.reduce((total, chunk) => total + chunk.length, 0), body };
}

t.test('what is packed is found again', async (t) => {
  const members = [
    member('index.json', '{}'),
    member('empty'),
    member('n'.repeat(120), 'x'),
    member(`blobs/${'d'.repeat(64)}`, 'a'.repeat(511), 'b', 'c'.repeat(70_000)),
  ];
  const data = await buffer(packArchive(members));
  const file = join(t.testdir(), 'a.tar');
  await writeFile(file, data);
  const found = await scanArchive(file);
  for (const { name, body } of members) {
    const place = found.get(name);
    const expected = Buffer.concat([...(body as Buffer[])]);
    t.strictSame(
      place && data.subarray(place.offset, place.offset + place.size),
      expected,
      name.slice(0, 20),
    );
  }
  t.equal(found.size, members.length);
});

t.test('the same members give the same bytes', async (t) => {
  const pack = async (): Promise<string> => digestOf(await buffer(packArchive([member('a', 'b')])));
  const first = await pack();
  await setTimeout(1100); // a clock that got into the archive would show: tar has whole seconds
  t.equal(await pack(), first);
});

t.test('a body that is not as long as promised ends the archive with SIZE_MISMATCH', async (t) => {
  for (const [name, size] of [
    ['short', 5],
    ['long', 3],
    ['not empty', 0],
  ] as const) {
    await t.rejects(buffer(packArchive([{ ...member('a', 'abcd'), size }])), { code: 'SIZE_MISMATCH' }, name);
  }
});

t.test('what a body or the list of members throws comes out of the stream', async (t) => {
  const boom = new Error('boom');
  async function* failing(): AsyncGenerator<Buffer> {
    throw boom;
  }
  await t.rejects(buffer(packArchive([{ name: 'a', size: 1, body: failing() }])), boom, 'body');
  async function* members(): AsyncGenerator<PackMember> {
    yield member('a', 'b');
    throw boom;
  }
  await t.rejects(buffer(packArchive(members())), boom, 'members');
});

t.test('a reader that goes away ends the body in progress', async (t) => {
  let ended = false;
  async function* endless(): AsyncGenerator<Buffer> {
    try {
      for (;;) yield Buffer.alloc(65_536);
    } finally {
      ended = true;
    }
  }
  const archive = packArchive([{ name: 'a', size: 2 ** 40, body: endless() }]);
  let read = 0;
  archive.on('data', (chunk: Buffer) => {
    read += chunk.length;
    if (read > 1_000_000) archive.destroy();
  });
  await once(archive, 'close');
  t.ok(ended, 'the body was closed');
  t.ok(read < 5_000_000, 'and not read ahead of the reader');
});
