import t from 'tap';
import { brief, end, header, join, longName, member, one, only, pax, read } from './support.js';

t.test('fields of a member', async (t) => {
  t.match(
    one(
      { name: 'a', mode: 0o107755, uid: 1000, gid: 1001, mtime: 1_700_000_000, uname: 'u', gname: 'g' },
      'data',
    ),
    {
      type: 'file',
      path: 'a',
      linkPath: '',
      mode: 0o7755,
      uid: 1000,
      gid: 1001,
      size: 4,
      dataSize: 4,
      mtime: 1_700_000_000_000_000_000n,
      major: 0,
      minor: 0,
      extents: null,
      dataOffset: 512,
      uname: 'u',
      gname: 'g',
      data: 'data',
    },
  );
});

t.test('types', async (t) => {
  for (const [flag, name, type] of [
    ['0', 'a', 'file'],
    ['\0', 'a', 'file'],
    ['7', 'a', 'file'],
    ['1', 'a', 'hardlink'],
    ['2', 'a', 'symlink'],
    ['3', 'a', 'char'],
    ['4', 'a', 'block'],
    ['5', 'a', 'directory'],
    ['6', 'a', 'fifo'],
    ['\0', 'a/', 'directory'],
    ['0', 'a/', 'file'],
    ['7', 'a/', 'file'],
  ] as const) {
    t.equal(
      one({ name, type: flag, magic: flag === '\0' ? 'v7' : 'ustar' }).type,
      type,
      JSON.stringify(flag + name),
    );
  }
  t.equal(
    only(pax([['path', 'long/']]), member({ name: 'a', type: '\0' })).type,
    'directory',
    'by its PAX path',
  );
  for (const flag of ['D', 'V', 'M', 'N', 'A', 'X', 'Z', '8', '9', '\xff', '\x01']) {
    t.throws(
      () => one({ name: 'some/name', type: flag }),
      { code: 'TAR_INVALID', message: /some\/name.*type/ },
      JSON.stringify(flag),
    );
  }
});

t.test('uid and gid', async (t) => {
  t.equal(
    one({ name: 'a', uid: Buffer.from('\x80\0\0\0\xff\xff\xff\xfe', 'latin1') }).uid,
    4_294_967_294,
    'the largest',
  );
  t.equal(
    only(pax([['uid', '3000000']]), member({ name: 'a' })).uid,
    3_000_000,
    'cautionary tale 5: PAX uid=3000000',
  );
  t.equal(only(pax([['gid', '4294967294']]), member({ name: 'a' })).gid, 4_294_967_294);
  const refused: readonly [string, Buffer][] = [
    ['-1 of 32 bits', pax([['uid', '4294967295']])],
    ['more than 32 bits', pax([['gid', '4294967296']])],
    ['64 bits', pax([['uid', '18446744073709551615']])],
    ['negative', pax([['uid', '-1']])],
    ['absurd', pax([['uid', '9'.repeat(400)]])],
  ];
  for (const [name, records] of refused) {
    t.throws(() => only(records, member({ name: 'a' })), { code: 'ENTRY_INVALID' }, name);
  }
  for (const bytes of [
    '\xff\xff\xff\xff\xff\xff\xff\xff',
    '\x80\0\0\0\xff\xff\xff\xff',
    '\x80\0\0\x01\0\0\0\0',
  ]) {
    t.throws(() => one({ name: 'a', gid: Buffer.from(bytes, 'latin1') }), { code: 'ENTRY_INVALID' });
  }
});

t.test('device numbers', async (t) => {
  t.match(one({ name: 'a', type: '3', major: 0o7777, minor: 0o3777777 }), { major: 0xfff, minor: 0xfffff });
  t.match(
    only(
      pax([
        ['SCHILY.devmajor', '8'],
        ['SCHILY.devminor', '300'],
      ]),
      member({ name: 'a', type: '4' }),
    ),
    { major: 8, minor: 300 },
  );
  t.throws(() => one({ name: 'a', type: '3', major: 0o10000 }), { code: 'ENTRY_INVALID' });
  t.throws(() => one({ name: 'a', type: '4', minor: 0o4000000 }), { code: 'ENTRY_INVALID' });
});

t.test('mtime', async (t) => {
  const base256 = (seconds: bigint): Buffer => {
    const field = Buffer.alloc(12, seconds < 0n ? 0xff : 0);
    field.writeBigInt64BE(seconds, 4);
    if (seconds >= 0n) field[0] = 0x80;
    return field;
  };
  t.equal(one({ name: 'a', mtime: base256(-1n) }).mtime, -1_000_000_000n, 'before 1970');
  t.equal(
    one({ name: 'a', mtime: base256(2_208_988_800n) }).mtime,
    2_208_988_800_000_000_000n,
    'cautionary tale 5: 2040',
  );
  t.equal(
    only(pax([['mtime', '1700000000.123456789']]), member({ name: 'a' })).mtime,
    1_700_000_000_123_456_789n,
    'cautionary tale 5: fraction',
  );
  const { members, warnings } = read(member({ name: 'a', mtime: base256(253_402_300_799n) }));
  t.equal(members[0]?.mtime, 2n ** 63n - 1n, 'year 9999');
  t.match(warnings, [{ code: 'mtime-clamped', path: 'a' }]);
});

t.test('sizes', async (t) => {
  t.same(
    brief(join([pax([['size', '3']]), member({ name: 'a', size: 0 }, 'abc'), member({ name: 'b' })])),
    [
      ['file', 'a', 'abc'],
      ['file', 'b', ''],
    ],
    'CVE-2025-62518 (TARmageddon): PAX decides',
  );
  const inner = member({ name: 'inner' });
  t.same(
    brief(
      join([pax([['size', '512']]), header({ name: 'outer.tar', size: 0 }), inner, member({ name: 'next' })]),
    ),
    [
      ['file', 'outer.tar', inner.toString('latin1')],
      ['file', 'next', ''],
    ],
    'CVE-2025-62518: an archive within is data',
  );
  t.same(
    brief(join([pax([['size', '3']]), longName('name'.repeat(40)), member({ name: 'a', size: 0 }, 'abc')])),
    [['file', 'name'.repeat(40), 'abc']],
    'GHSA-vmf3-w455-68vh: PAX size is not for a long name between',
  );
  t.same(
    brief(
      join([
        pax([['size', '3']]),
        pax([['comment', 'x'.repeat(700)]], 'g'),
        member({ name: 'a', size: 0 }, 'abc'),
      ]),
    ),
    [['file', 'a', 'abc']],
    'nor for a global header between',
  );
  t.equal(one({ name: 'a', size: '       4 \0  ' }, 'abcd').data, 'abcd', 'octal with blanks');
  t.equal(
    one({ name: 'a', size: Buffer.from('\x80\0\0\0\0\0\0\0\0\0\0\x04', 'latin1') }, 'abcd').data,
    'abcd',
    'base-256',
  );
  const refused: readonly [string, string, Buffer[]][] = [
    [
      'GHSA-8x88-c5mf-7j5w: base-256 negative',
      'TAR_INVALID',
      [header({ name: 'a', size: Buffer.alloc(12, 0xff) })],
    ],
    ['GHSA-8x88-c5mf-7j5w: PAX negative', 'TAR_INVALID', [pax([['size', '-1']]), header({ name: 'a' })]],
    [
      '2^63',
      'LIMIT_EXCEEDED',
      [header({ name: 'a', size: Buffer.from('\x80\0\0\0\x80\0\0\0\0\0\0\0', 'latin1') })],
    ],
    ['2^53', 'LIMIT_EXCEEDED', [pax([['size', '9007199254740993']]), header({ name: 'a' })]],
    [
      'the most a field can say',
      'LIMIT_EXCEEDED',
      [header({ name: 'a', size: Buffer.from(`\xbf${'\xff'.repeat(11)}`, 'latin1') })],
    ],
  ];
  for (const [name, code, parts] of refused) t.throws(() => only(...parts), { code }, name);
});

t.test('a size on a member without contents', async (t) => {
  const next = member({ name: 'next' }, 'abc');
  const body = Buffer.alloc(1024, 'b');
  for (const type of ['1', '2', '3', '4', '5', '6']) {
    const fields = { name: 'a', type, link: 'b' };
    const bare = read(join([header({ ...fields, size: 700 }), next, end]), 321);
    t.same(
      bare.members.map(({ path, size, data }) => [path, size, data]),
      [
        ['a', 0, ''],
        ['next', 3, 'abc'],
      ],
      `${type}: no body`,
    );
    const archive = join([header({ ...fields, size: 700 }), body, next, end]);
    const bodied = read(archive, 321);
    t.same(
      bodied.members.map(({ path, size, data }) => [path, size, data]),
      [
        ['a', 0, ''],
        ['next', 3, 'abc'],
      ],
      `${type}: a body`,
    );
    t.ok(bodied.bytes.equals(archive), `${type}: the body is told as raw`);
    t.equal(brief(join([header({ ...fields, size: 700 }), end])).length, 1, `${type}: at the end`);
    t.throws(
      () => brief(join([header({ ...fields, size: 2000 }), body])),
      { code: 'TAR_INVALID' },
      `${type}: its body is cut short`,
    );
    t.throws(
      () => brief(join([header({ ...fields, size: 700 }), body, body])),
      { code: 'TAR_INVALID' },
      `${type}: only one body`,
    );
    t.equal(
      brief(join([pax([['size', '700']]), header(fields), body, next])).length,
      2,
      `${type}: a size of PAX`,
    );
  }
  t.throws(
    () => brief(join([header({ name: 'a', type: '1' }), body])),
    { code: 'TAR_INVALID' },
    'no size, no body',
  );
});

t.test('names stay bytes', async (t) => {
  const name = '\xff\xfe\x1b[31m\r\n\\é';
  t.equal(one({ name }).path, name);
  t.equal(
    only(
      pax([
        ['hdrcharset', 'BINARY'],
        ['path', name],
      ]),
      member({ name: 'a' }),
    ).path,
    name,
  );
  t.equal(one({ name: '' }).path, '');
});
