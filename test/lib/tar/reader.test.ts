import t from 'tap';
import { LayerfsError } from '../../../lib/errors.js';
import { TarReader } from '../../../lib/tar/reader.js';
import { brief, end, join, longName, member, pax, random, read } from './support.js';

/** One archive with all kinds of members and headers. */
const everything = join([
  pax([['comment', 'hello']], 'g'),
  member({ name: './', type: '5', mode: 0o755 }),
  member(
    { name: 'file', mode: 0o100644, uid: 1000, gid: 1001, mtime: 1_700_000_000, uname: 'u', gname: 'g' },
    'contents',
  ),
  member({ name: 'empty' }),
  member({ name: 'block' }, 'x'.repeat(512)),
  member({ name: 'large' }, 'y'.repeat(1300)),
  member({ name: 'link', type: '2', link: '/target' }),
  member({ name: 'hard', type: '1', link: 'file' }),
  member({ name: 'char', type: '3', major: 5, minor: 1 }),
  member({ name: 'disk', type: '4', major: 8, minor: 16 }),
  member({ name: 'fifo', type: '6' }),
  pax([
    ['path', `long/${'n'.repeat(300)}`],
    ['uid', '3000000'],
    ['mtime', '2208988800.123456789'],
    ['SCHILY.xattr.security.capability', '\x01\0\0\x02\n\xff\0'],
  ]),
  member({ name: 'short' }, 'pax'),
  longName(`gnu/${'m'.repeat(200)}`),
  longName('t'.repeat(150), 'K'),
  member({ name: 'short', type: '2', link: 't', magic: 'gnu' }),
  member(
    {
      name: 'sparse',
      type: 'S',
      magic: 'gnu',
      size: 3,
      at: oldSparse(2000, [
        [0, 1],
        [1500, 2],
      ]),
    },
    'abc',
  ),
  end,
]);

function octal(value: number): string {
  return `${value.toString(8).padStart(11, '0')}\0`;
}

/** What an old GNU sparse header has at the end. */
function oldSparse(realSize: number, regions: readonly (readonly [number, number])[]): [number, string][] {
  return [
    [386, regions.map(([offset, size]) => octal(offset) + octal(size)).join('')],
    [483, octal(realSize)],
  ];
}

t.test('every byte is told once, in order, however the archive is cut', async (t) => {
  const whole = read(everything);
  t.equal(whole.members.length, 13);
  t.ok(whole.bytes.equals(everything));
  for (const chunkSize of [1, 2, 3, 7, 321, 511, 512, 513, 1024, 4099]) {
    const cut = read(everything, chunkSize);
    t.ok(cut.bytes.equals(everything), `bytes of chunks of ${chunkSize}`);
    t.same(cut.members, whole.members, `members of chunks of ${chunkSize}`);
  }
});

t.test('an archive cut short is refused, whatever its length', async (t) => {
  const contents = everything.subarray(0, -end.length);
  const boundaries = new Set<number>();
  // Only between members, and in the padding after one, is an archive without its end complete.
  const { members } = read(everything);
  for (const { dataOffset, dataSize } of members) {
    const next = dataOffset + Math.ceil(dataSize / 512) * 512;
    for (let length = dataOffset + dataSize; length <= next; length++) boundaries.add(length);
  }
  boundaries.add(0);
  let accepted = 0;
  for (let length = 0; length < contents.length; length++) {
    try {
      read(contents.subarray(0, length), 4096);
      if (!boundaries.has(length)) t.fail(`accepted at ${length}`);
      accepted++;
    } catch (error) {
      if (!(error instanceof LayerfsError) || error.code !== 'TAR_INVALID') throw error;
      if (boundaries.has(length)) t.fail(`refused at ${length}: ${error.message}`);
    }
  }
  t.equal(accepted, [...boundaries].filter((length) => length < contents.length).length);
});

t.test('damaged archives give an error of ours or a reading, never anything else', async (t) => {
  const next = random(20_240_229);
  const codes = new Set<string>();
  for (let round = 0; round < 4000; round++) {
    const damaged = Buffer.from(everything);
    for (let flips = 1 + next(4); flips > 0; flips--) damaged[next(damaged.length)] = next(256);
    // A header is only looked into where its checksum is right.
    if (round % 2 === 0) {
      const at = next(damaged.length / 512) * 512;
      damaged.fill(' ', at + 148, at + 156);
      const sum = damaged.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
      damaged.write(sum.toString(8).padStart(6, '0'), at + 148, 'latin1');
    }
    try {
      const { bytes } = read(damaged, 1 + next(3000));
      if (!bytes.equals(damaged)) t.fail(`round ${round}: bytes are missing`);
    } catch (error) {
      if (!(error instanceof LayerfsError)) throw error;
      codes.add(error.code);
    }
  }
  t.ok(codes.has('TAR_INVALID'));
  t.same(
    [...codes].filter((code) => !['TAR_INVALID', 'LIMIT_EXCEEDED', 'ENTRY_INVALID'].includes(code)),
    [],
  );
});

t.test('the end', async (t) => {
  const a = member({ name: 'a' }, 'data');
  const zeros = Buffer.alloc(512);
  t.same(brief(Buffer.alloc(0)), [], 'nothing at all');
  t.same(brief(end), [], 'the empty layer');
  t.equal(brief(a).length, 1, 'no zero blocks');
  t.equal(brief(join([a, zeros])).length, 1, 'a single zero block');
  t.equal(brief(join([a, end, Buffer.alloc(7168)])).length, 1, 'padding of GNU tar');
  const garbage = join([a, end, a, Buffer.from('garbage')]);
  t.equal(brief(garbage).length, 1, 'garbage');
  t.ok(read(garbage, 100).bytes.equals(garbage), 'garbage is told');
  t.throws(() => brief(join([a, zeros, a])), { code: 'TAR_INVALID' }, 'data after a single zero block');
  t.throws(() => brief(join([a, zeros, zeros.subarray(1)])), { code: 'TAR_INVALID' }, 'part of a block');
  t.equal(brief(a.subarray(0, 516)).length, 1, 'padding is missing after the last file (umoci insert)');
  t.equal(brief(a.subarray(0, 600)).length, 1, 'part of the padding is missing');
  t.throws(() => brief(a.subarray(0, 515)), { code: 'TAR_INVALID' }, 'data is missing in the last file');
  t.throws(() => brief(join([pax([['path', 'x']]), end])), { code: 'TAR_INVALID' }, 'x without a member');
  t.throws(() => brief(join([pax([['size', '5']])])), { code: 'TAR_INVALID' }, 'x at the very end');
  t.throws(() => brief(join([longName('x'), end])), { code: 'TAR_INVALID' }, 'L without a member');
  t.throws(() => brief(join([longName('x', 'K')])), { code: 'TAR_INVALID' }, 'K at the very end');
});

t.test('errors say where', async (t) => {
  const a = member({ name: 'a' }, 'data');
  t.throws(() => brief(join([a, member({ name: 'dir/b\n', uid: 'junk' })])), {
    code: 'TAR_INVALID',
    message: 'tar header at 1024 (dir/b\\x0a): the uid field of its header is no number',
    detail: { offset: 1024, member: 'dir/b\\x0a' },
  });
  t.throws(() => brief(join([a, Buffer.alloc(512, 'x')])), { detail: { offset: 1024 }, message: /checksum/ });
  t.throws(() => brief(join([a, a.subarray(0, 100)])), {
    message: 'tar header at 1024: the archive is cut short',
  });
  t.throws(() => brief(join([a, a.subarray(0, 514)])), {
    message: 'tar header at 1024 (a): the archive is cut short',
  });
});

t.test('data lies where the member says', async (t) => {
  const archive = join([
    member({ name: 'a' }, 'data'),
    pax([['path', 'b']]),
    member({ name: 'x' }, 'more'),
    end,
  ]);
  const { members } = read(archive, 100);
  t.same(
    members.map(({ dataOffset }) => dataOffset),
    [512, 2560],
  );
  for (const { dataOffset, data } of members) {
    t.equal(archive.toString('latin1', dataOffset, dataOffset + data.length), data);
  }
});

t.test('the offset follows what the handler is told, and nothing is copied', async (t) => {
  const archive = join([member({ name: 'a' }, 'data'), member({ name: 'b' }), end]);
  const told: [string, number][] = [];
  const view = (what: string) => (bytes: Buffer) => {
    told.push([what, reader.offset]);
    t.equal(bytes.buffer, archive.buffer, `${what} is a view of the chunk`);
  };
  const reader = new TarReader({
    member: ({ dataOffset }) => told.push(['member', reader.offset - dataOffset]),
    data: view('data'),
    memberEnd: () => told.push(['memberEnd', reader.offset]),
    raw: view('raw'),
  });
  t.equal(reader.offset, 0);
  reader.write(archive);
  t.equal(reader.offset, archive.length);
  reader.end();
  t.same(told, [
    ['member', 0],
    ['raw', 512],
    ['data', 516],
    ['memberEnd', 516],
    ['member', 0],
    ['memberEnd', 1536],
    ['raw', 2560],
  ]);
});
