import t, { type Test } from 'tap';
import { digestOf } from '../../../lib/digest.js';
import { limits } from '../../../lib/limits.js';
import { TarReader } from '../../../lib/tar/reader.js';
import { encodeMember, endOfArchive, paddingOf, type TarMemberInput } from '../../../lib/tar/writer.js';
import { b, random, read, type ReadMember } from './support.js';

const base: TarMemberInput = { type: 'file', path: b('a'), mode: 0o644, uid: 0, gid: 0, mtime: 0n };

function back(input: TarMemberInput): ReadMember {
  const data = Buffer.alloc(Math.min(input.type === 'file' ? (input.size ?? 0) : 0, 5000), 'd');
  const archive = Buffer.concat([encodeMember(input), data, paddingOf(data.length), endOfArchive()]);
  const { members, warnings, bytes } = read(archive);
  t.same(warnings, []);
  t.ok(bytes.equals(archive));
  const [found, ...others] = members;
  if (found === undefined || others.length > 0) throw new Error(`${members.length} members`);
  t.equal(found.data, data.toString());
  return found;
}

/** The law: what was written is read. */
function same(t: Test, input: TarMemberInput, name: string): void {
  const found = back(input);
  const { type, path, linkPath = '', mode, uid, gid, size = 0, mtime, major = 0, minor = 0 } = input;
  const expected = {
    type,
    path,
    linkPath,
    mode,
    uid,
    gid,
    size: type === 'file' ? size : 0,
    mtime,
    major,
    minor,
  };
  t.match(found, { ...expected, extents: null, uname: '', gname: '' }, name);
  t.same(new Map([...found.xattrs].sort()), new Map([...(input.xattrs ?? [])].sort()), `${name}: xattrs`);
}

t.test('a literal header', async (t) => {
  const expected = [
    'usr/bin/env'.padEnd(100, '\0'),
    '0004755\0',
    '0001750\0',
    '0001751\0',
    '00000000013\0',
    '14524623400\0',
    '011374\0 ',
    '0',
    ''.padEnd(100, '\0'),
    'ustar\x0000',
    ''.padEnd(32, '\0'),
    ''.padEnd(32, '\0'),
    '0000000\0',
    '0000000\0',
    ''.padEnd(167, '\0'),
  ].join('');
  const input = {
    ...base,
    path: b('usr/bin/env'),
    mode: 0o104755,
    uid: 1000,
    gid: 1001,
    size: 11,
    mtime: 1_699_948_288n * 10n ** 9n,
  };
  t.equal(encodeMember(input).toString('latin1'), expected);
});

t.test('a literal PAX header', async (t) => {
  const encoded = encodeMember({
    ...base,
    uid: 3_000_000,
    mtime: 1_500_000_000n,
    xattrs: new Map([
      [b('user.b'), Buffer.from('\0\n')],
      [b('user.a'), Buffer.from('=')],
    ]),
  });
  t.equal(encoded.length, 3 * 512);
  t.equal(encoded.toString('latin1', 0, 18), 'PaxHeaders/member\0');
  t.equal(encoded.toString('latin1', 156, 157), 'x');
  t.equal(
    encoded.toString('latin1', 512, 1024).replace(/\0+$/, ''),
    '25 SCHILY.xattr.user.a==\n26 SCHILY.xattr.user.b=\0\n\n13 mtime=1.5\n15 uid=3000000\n',
    'sorted',
  );
  t.equal(encoded.toString('latin1', 1024 + 108, 1024 + 116), '0000000\0', 'what does not fit is 0, not cut');
});

t.test('read(write(member)) is the member', async (t) => {
  const cases: readonly [name: string, fields: Partial<TarMemberInput>][] = [
    ['plain', {}],
    ['data', { size: 1000 }],
    ['every mode bit', { mode: 0o7777 }],
    ['largest octal uid', { uid: 0o7777777, gid: 0o7777777 }],
    ['cautionary tale 5: uid 3000000', { uid: 3_000_000 }],
    ['largest uid', { uid: 4_294_967_294, gid: 4_294_967_294 }],
    ['cautionary tale 5: fraction of mtime', { mtime: 1_700_000_000_123_456_789n }],
    ['cautionary tale 5: mtime 2040', { mtime: 2_208_988_800n * 10n ** 9n }],
    ['mtime before 1970', { mtime: -1_500_000_001n }],
    ['the last octal mtime', { mtime: 8_589_934_591n * 10n ** 9n }],
    ['mtime past 8^11', { mtime: 8_589_934_592n * 10n ** 9n }],
    [
      'cautionary tale 5: binary xattr',
      { xattrs: new Map([[b('user.x'), Buffer.from('\0\xff\n=é', 'latin1')]]) },
    ],
    ['empty xattr', { xattrs: new Map([[b('user.x'), Buffer.alloc(0)]]) }],
    [
      'xattrs with = and % in their names',
      {
        xattrs: new Map([
          [b('user.a=b'), Buffer.from('1')],
          [b('user.%3D'), Buffer.from('2')],
        ]),
      },
    ],
    ['largest xattr', { xattrs: new Map([[b('user.x'), Buffer.alloc(limits.xattrValueSize, 0xff)]]) }],
    ['name of 100 bytes', { path: b('n'.repeat(100)) }],
    ['name of 101 bytes', { path: b('n'.repeat(101)) }],
    ['prefix of 155 and name of 100', { path: b(`${'p'.repeat(155)}/${'n'.repeat(100)}`) }],
    ['prefix of 156', { path: b(`${'p'.repeat(156)}/n`) }],
    ['name of 101 after a prefix', { path: b(`p/${'n'.repeat(101)}`) }],
    ['directory of 255 bytes', { type: 'directory', path: b(`${'p'.repeat(154)}/${'n'.repeat(99)}/`) }],
    ['directory of 101 bytes with but one slash', { type: 'directory', path: b(`${'n'.repeat(100)}/`) }],
    ['doubled slashes', { path: b(`${'p'.repeat(99)}//${'n'.repeat(99)}`) }],
    ['absolute and long', { path: b(`/${'n'.repeat(100)}`) }],
    ['not ASCII', { path: b('caf\xc3\xa9') }],
    ['not UTF-8', { path: b('\xff\xfe\x80') }],
    ['newline, blank and =', { path: b('a\n5 b=c\n') }],
    ['path of 8192 bytes', { path: b('d/'.repeat(4096)) }],
    ['empty path', { path: b('') }],
    ['symlink', { type: 'symlink', linkPath: b('../t') }],
    ['symlink of 100 bytes', { type: 'symlink', linkPath: b('t'.repeat(100)) }],
    ['symlink of 4095 bytes', { type: 'symlink', linkPath: b('t'.repeat(4095)) }],
    ['symlink not UTF-8', { type: 'symlink', linkPath: b('\xff') }],
    ['hardlink', { type: 'hardlink', linkPath: b('t'), size: 7 }],
    ['char', { type: 'char', major: 4095, minor: 1_048_575 }],
    ['block', { type: 'block', major: 8, minor: 1 }],
    ['fifo', { type: 'fifo' }],
  ];
  for (const [name, fields] of cases) same(t, { ...base, ...fields }, name);
});

t.test('PAX only where ustar does not do', async (t) => {
  const seconds = 10n ** 9n;
  const cases: readonly [name: string, fields: Partial<TarMemberInput>, hasPax: boolean][] = [
    ['name of 100 bytes', { path: b('n'.repeat(100)) }, false],
    ['name of 101 bytes', { path: b('n'.repeat(101)) }, true],
    ['prefix of 155, name of 100', { path: b(`${'p'.repeat(155)}/${'n'.repeat(100)}`) }, false],
    ['prefix of 156', { path: b(`${'p'.repeat(156)}/n`) }, true],
    ['name of 101 after a prefix', { path: b(`p/${'n'.repeat(101)}`) }, true],
    ['slash in front', { path: b(`/${'n'.repeat(100)}`) }, true],
    ['slash at the end', { type: 'directory', path: b(`${'n'.repeat(100)}/`) }, true],
    ['split before the slash at the end', { type: 'directory', path: b(`${'p'.repeat(100)}/n/`) }, false],
    ['path not ASCII', { path: b('\x80') }, true],
    ['link of 100 bytes', { type: 'symlink', linkPath: b('t'.repeat(100)) }, false],
    ['link of 101 bytes', { type: 'symlink', linkPath: b('t'.repeat(101)) }, true],
    ['link not ASCII', { type: 'symlink', linkPath: b('\x80') }, true],
    ['largest uid of 7 digits', { uid: 0o7777777, gid: 0o7777777 }, false],
    ['uid of 8 digits', { uid: 0o10000000 }, true],
    ['gid of 8 digits', { gid: 0o10000000 }, true],
    ['largest size of 11 digits', { size: 0o77777777777 }, false],
    ['size of 12 digits', { size: 0o100000000000 }, true],
    ['largest mtime of 11 digits', { mtime: 0o77777777777n * seconds }, false],
    ['mtime of 12 digits', { mtime: 0o100000000000n * seconds }, true],
    ['mtime with a fraction', { mtime: 1n }, true],
    ['mtime before 1970', { mtime: -seconds }, true],
    ['no xattr', { xattrs: new Map() }, false],
    ['an xattr', { xattrs: new Map([[b('user.a'), Buffer.alloc(0)]]) }, true],
  ];
  for (const [name, fields, hasPax] of cases) {
    t.equal(encodeMember({ ...base, ...fields }).length, hasPax ? 3 * 512 : 512, name);
  }
});

t.test('sizes past 8 GiB', async (t) => {
  for (const size of [0o77777777777, 0o77777777777 + 1, limits.fileSize]) {
    const archive = Buffer.concat([encodeMember({ ...base, size }), Buffer.alloc(512)]);
    const sizes: number[] = [];
    new TarReader({
      member: (found) => sizes.push(found.size, found.dataSize),
      data: () => undefined,
      memberEnd: () => undefined,
    }).write(archive);
    t.same(sizes, [size, size]);
  }
});

t.test('random members', async (t) => {
  const next = random(42);
  const bytes = (length: number): string =>
    Array.from({ length }, () => String.fromCharCode(1 + next(next(2) === 0 ? 127 : 255))).join('');
  const types = ['file', 'hardlink', 'symlink', 'char', 'block', 'directory', 'fifo'] as const;
  for (let round = 0; round < 500; round++) {
    const type = types[next(types.length)] ?? 'file';
    const isDevice = type === 'char' || type === 'block';
    same(
      t,
      {
        type,
        path: b(Array.from({ length: 1 + next(6) }, () => bytes(next(90))).join('/')),
        ...(type === 'symlink' || type === 'hardlink' ? { linkPath: b(bytes(1 + next(200))) } : {}),
        mode: next(0o10000),
        uid: next(2) === 0 ? next(100_000) : next(4_294_967_295),
        gid: next(2) === 0 ? next(100_000) : next(4_294_967_295),
        size: type === 'file' ? next(3000) : 0,
        mtime:
          (BigInt(next(2 ** 31)) * 6n - 2n ** 32n) * 10n ** 9n + (next(2) === 0 ? 0n : BigInt(next(10 ** 9))),
        ...(isDevice ? { major: next(4096), minor: next(1_048_576) } : {}),
        xattrs: new Map(
          Array.from({ length: next(4) }, () => [
            b(`user.${bytes(1 + next(20))}`),
            Buffer.from(bytes(next(300)), 'latin1'),
          ]),
        ),
      },
      `round ${round}`,
    );
  }
});

t.test('equal members have equal bytes', async (t) => {
  const xattrs: [ReturnType<typeof b>, Buffer][] = [
    [b('user.a'), Buffer.from('1')],
    [b('user.b'), Buffer.from('2')],
  ];
  const forward = encodeMember({ ...base, mtime: 1n, xattrs: new Map(xattrs) });
  const backward = encodeMember({ ...base, mtime: 1n, xattrs: new Map(xattrs.reverse()) });
  t.ok(forward.equals(backward), 'whatever the order of their xattrs');
  t.equal(
    digestOf(forward),
    'sha256:29d3e3e48695160e03bbbbcdc8d0630a3d4cfff346499e428d4979cb127d707d',
    'golden',
  );
});

t.test('padding and the end', async (t) => {
  t.equal(paddingOf(0).length, 0);
  t.equal(paddingOf(1).length, 511);
  t.equal(paddingOf(512).length, 0);
  t.equal(paddingOf(2 ** 40 + 513).length, 511);
  t.ok(endOfArchive().equals(Buffer.alloc(1024)));
});

t.test('what no tar can hold', async (t) => {
  t.throws(() => encodeMember({ ...base, path: b('a\0b') }), { code: 'ENTRY_INVALID' });
  t.throws(() => encodeMember({ ...base, type: 'symlink', linkPath: b('a\0b') }), { code: 'ENTRY_INVALID' });
  const xattrs = new Map(
    Array.from({ length: 17 }, (_, index) => [b(`user.${index}`), Buffer.alloc(65_536)]),
  );
  t.throws(
    () => encodeMember({ ...base, xattrs }),
    { code: 'LIMIT_EXCEEDED' },
    'readers accept 1 MiB of PAX records',
  );
});
