/** Archives that other programs made, and ours in their hands. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { bytes } from '../../../lib/bytes.js';
import { encodeMember, endOfArchive, paddingOf, type TarMemberInput } from '../../../lib/tar/writer.js';
import { b, end, header, member, missing, pax, read, type ReadArchive, type ReadMember } from './support.js';

function run(program: string, args: readonly string[], input?: Buffer): Buffer {
  const { status, stdout, stderr } = spawnSync(program, args, {
    input,
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.toString()}`);
  return stdout;
}

/** What a program lists, with everything up to its first error. */
function list(program: string, archive: Buffer): string[] {
  return spawnSync(program, ['-tf', '-'], { input: archive })
    .stdout.toString('latin1')
    .split('\n')
    .filter((line) => line !== '');
}

const long = `${'d'.repeat(120)}/${'f'.repeat(200)}`;

/** A tree with what ordinary users may make. */
function makeTree(t: Test): string {
  const root = t.testdir({
    empty: '',
    small: 'contents',
    large: 'x'.repeat(100_000),
    dir: { 'caf\u00e9': 'not ASCII', inner: {} },
    link: t.fixture('symlink', 'dir/inner'),
    [path.dirname(long)]: { [path.basename(long)]: 'a long name' },
  });
  fs.linkSync(path.join(root, 'small'), path.join(root, 'zz-hardlink'));
  fs.symlinkSync('t'.repeat(150), path.join(root, 'long-link'));
  fs.chmodSync(path.join(root, 'small'), 0o4751);
  fs.utimesSync(path.join(root, 'small'), 1_700_000_000.123456, 1_700_000_000.123456);
  fs.utimesSync(path.join(root, 'large'), 2_208_988_800, 2_208_988_800);
  return root;
}

/** Compares every member with the tree it was made from. */
function compare(t: Test, { members, warnings }: ReadArchive, root: string, hasFractions: boolean): void {
  t.same(warnings, []);
  const seen = new Set<string>();
  for (const found of members) {
    const name = Buffer.from(found.path, 'latin1')
      .toString()
      .replace(/^\.\/?/, '')
      .replace(/\/$/, '');
    seen.add(name);
    const stat = fs.lstatSync(path.join(root, name), { bigint: true });
    t.equal(found.uid, Number(stat.uid), `${name}: uid`);
    t.equal(found.mode, Number(stat.mode) & 0o7777, `${name}: mode`);
    const mtime = hasFractions ? stat.mtimeNs : stat.mtimeNs - (stat.mtimeNs % 1_000_000_000n);
    t.equal(found.mtime, mtime, `${name}: mtime`);
    if (stat.isDirectory()) t.equal(found.type, 'directory', name);
    else if (stat.isSymbolicLink()) {
      t.equal(found.linkPath, bytes(fs.readlinkSync(path.join(root, name))), `${name}: target`);
    } else if (found.type === 'file') {
      t.equal(found.data, fs.readFileSync(path.join(root, name), 'latin1'), `${name}: data`);
      t.equal(found.size, Number(stat.size), `${name}: size`);
    } else {
      t.equal(found.type, 'hardlink', name);
    }
  }
  const all = fs.readdirSync(root, { recursive: true }) as string[];
  t.same([...seen].sort(), ['', ...all].sort(), 'nothing is missing');
  t.equal(members.filter(({ type }) => type === 'hardlink').length, 1);
}

const formats: readonly { program: string; format: string; hasFractions: boolean; hasLongNames: boolean }[] =
  [
    { program: 'tar', format: 'v7', hasFractions: false, hasLongNames: false },
    { program: 'tar', format: 'ustar', hasFractions: false, hasLongNames: false },
    { program: 'tar', format: 'oldgnu', hasFractions: false, hasLongNames: true },
    { program: 'tar', format: 'gnu', hasFractions: false, hasLongNames: true },
    { program: 'tar', format: 'posix', hasFractions: true, hasLongNames: true },
    { program: 'bsdtar', format: 'ustar', hasFractions: false, hasLongNames: false },
    { program: 'bsdtar', format: 'gnutar', hasFractions: false, hasLongNames: true },
    { program: 'bsdtar', format: 'pax', hasFractions: true, hasLongNames: true },
  ];

for (const { program, format, hasFractions, hasLongNames } of formats) {
  t.test(`${program} --format=${format}`, { skip: missing(program) }, async (t) => {
    const root = makeTree(t);
    if (!hasLongNames) {
      fs.rmSync(path.join(root, path.dirname(long)), { recursive: true });
      fs.rmSync(path.join(root, 'long-link'));
    }
    const archive = run(program, [`--format=${format}`, '-cf', '-', '-C', root, '.']);
    const whole = read(archive);
    compare(t, whole, root, hasFractions);
    for (const chunkSize of [1, 321]) t.same(read(archive, chunkSize), whole, `in chunks of ${chunkSize}`);
    t.ok(whole.bytes.equals(archive), 'every byte is told');
  });
}

t.test('sparse files of GNU tar', { skip: missing('tar') }, async (t) => {
  const root = t.testdir({});
  const file = path.join(root, 'sparse');
  const regions: readonly [number, string][] = Array.from({ length: 40 }, (_, index) => [
    index * 1_048_576 + 65_536,
    `region ${index}`,
  ]);
  const fd = fs.openSync(file, 'w');
  for (const [offset, text] of regions) fs.writeSync(fd, text, offset);
  fs.ftruncateSync(fd, 50 * 1_048_576);
  fs.closeSync(fd);
  const contents = fs.readFileSync(file);
  for (const args of [
    ['--format=gnu'],
    ['--format=posix', '--sparse-version=0.0'],
    ['--format=posix', '--sparse-version=0.1'],
    ['--format=posix', '--sparse-version=1.0'],
  ]) {
    const archive = run('tar', ['--sparse', ...args, '-cf', '-', '-C', root, 'sparse']);
    for (const chunkSize of [archive.length, 321]) {
      const [found, ...others] = read(archive, chunkSize).members;
      if (found === undefined || others.length > 0) throw new Error('not one member');
      t.match(found, { type: 'file', path: 'sparse', size: contents.length }, args.join(' '));
      if (found.extents === null) {
        t.comment('skipped: the file system has no holes');
        continue;
      }
      t.ok(found.dataSize < 20 * 1_048_576, `${found.dataSize} bytes are stored`);
      const rebuilt = Buffer.alloc(found.size);
      let at = 0;
      for (const { offset, size } of found.extents) {
        rebuilt.write(found.data.slice(at, at + size), offset, 'latin1');
        at += size;
      }
      t.ok(rebuilt.equals(contents), `${args.join(' ')}: the same contents`);
    }
  }
});

/** Members that need everything the writer can do. */
const members: readonly TarMemberInput[] = [
  { type: 'directory', path: b('dir/'), mode: 0o1777, uid: 0, gid: 0, mtime: 1_700_000_000_000_000_000n },
  {
    type: 'file',
    path: b('dir/plain'),
    mode: 0o644,
    uid: 1000,
    gid: 1000,
    size: 8,
    mtime: 1_700_000_000_000_000_000n,
  },
  {
    type: 'file',
    path: b('dir/fraction'),
    mode: 0o644,
    uid: 3_000_000,
    gid: 4_000_000_000,
    size: 8,
    mtime: 1_700_000_000_123_456_789n,
  },
  { type: 'file', path: b('dir/old'), mode: 0o644, uid: 0, gid: 0, size: 8, mtime: -2_000_000_000n },
  {
    type: 'file',
    path: b('dir/2300'),
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 8,
    mtime: 8_589_934_592_000_000_000n,
  },
  { type: 'file', path: b(long), mode: 0o6755, uid: 0, gid: 0, size: 8, mtime: 0n },
  {
    type: 'file',
    path: b(`${'p'.repeat(150)}/${'n'.repeat(99)}`),
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 8,
    mtime: 0n,
  },
  { type: 'file', path: bytes('dir/café'), mode: 0o644, uid: 0, gid: 0, size: 8, mtime: 0n },
  {
    type: 'file',
    path: b('dir/xattrs'),
    mode: 0o755,
    uid: 0,
    gid: 0,
    size: 8,
    mtime: 0n,
    xattrs: new Map([
      [
        b('security.capability'),
        Buffer.from([1, 0, 0, 2, 0, 0x20, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255]),
      ],
      [b('user.empty'), Buffer.alloc(0)],
    ]),
  },
  { type: 'symlink', path: b('link'), linkPath: b('t'.repeat(200)), mode: 0o777, uid: 0, gid: 0, mtime: 0n },
  {
    type: 'hardlink',
    path: b('hard'),
    linkPath: b('dir/plain'),
    mode: 0o644,
    uid: 1000,
    gid: 1000,
    mtime: 1_700_000_000_000_000_000n,
  },
  { type: 'char', path: b('null'), mode: 0o666, uid: 0, gid: 0, mtime: 0n, major: 1, minor: 3 },
  { type: 'block', path: b('disk'), mode: 0o660, uid: 0, gid: 6, mtime: 0n, major: 259, minor: 70_000 },
  { type: 'fifo', path: b('fifo'), mode: 0o600, uid: 0, gid: 0, mtime: 0n },
];

const ours = Buffer.concat([
  ...members.flatMap((input) => {
    const data = Buffer.from(input.type === 'file' ? 'contents' : '');
    return [encodeMember(input), data, paddingOf(data.length)];
  }),
  endOfArchive(),
]);

t.test('ours through bsdtar', { skip: missing('bsdtar') }, async (t) => {
  const again = read(run('bsdtar', ['--format=pax', '-cf', '-', '@-'], ours)).members;
  const expected = read(ours).members;
  t.equal(again.length, expected.length);
  again.forEach((found, index) => {
    const {
      path: name,
      type,
      linkPath,
      mode,
      uid,
      gid,
      size,
      mtime,
      major,
      minor,
      xattrs,
      data,
    } = expected[index] as ReadMember;
    t.match(found, { path: name, type, linkPath, mode, uid, gid, size, mtime, major, minor, data }, name);
    // libarchive does not write empty xattrs.
    for (const [key, value] of xattrs) if (value.length > 0) t.same(found.xattrs.get(key), value, key);
  });
});

t.test('ours listed by GNU tar', { skip: missing('tar') }, async (t) => {
  const listing = run(
    'tar',
    ['--numeric-owner', '--full-time', '--utc', '--quoting-style=escape', '-tvf', '-'],
    ours,
  ).toString();
  const expected = [
    'drwxrwxrwt 0/0               0 2023-11-14 22:13:20 dir/',
    '-rw-r--r-- 1000/1000         8 2023-11-14 22:13:20 dir/plain',
    '-rw-r--r-- 3000000/4000000000 8 2023-11-14 22:13:20.123456789 dir/fraction',
    '-rw-r--r-- 0/0                8 1969-12-31 23:59:58 dir/old',
    '-rw-r--r-- 0/0                8 2242-03-16 12:56:32 dir/2300',
    `-rwsr-sr-x 0/0                8 1970-01-01 00:00:00 ${long}`,
    `-rw-r--r-- 0/0                8 1970-01-01 00:00:00 ${'p'.repeat(150)}/${'n'.repeat(99)}`,
    '-rw-r--r-- 0/0                8 1970-01-01 00:00:00 dir/café',
    '-rwxr-xr-x 0/0                8 1970-01-01 00:00:00 dir/xattrs',
    `lrwxrwxrwx 0/0                0 1970-01-01 00:00:00 link -> ${'t'.repeat(200)}`,
    'hrw-r--r-- 1000/1000          0 2023-11-14 22:13:20 hard link to dir/plain',
    'crw-rw-rw- 0/0              1,3 1970-01-01 00:00:00 null',
    'brw-rw---- 0/6        259,70000 1970-01-01 00:00:00 disk',
    'prw------- 0/0                0 1970-01-01 00:00:00 fifo',
  ];
  const squeeze = (text: string): string => text.replace(/ +/g, ' ');
  t.same(listing.trimEnd().split('\n').map(squeeze), expected.map(squeeze));
  t.equal(run('tar', ['-xOf', '-', long, 'dir/xattrs'], ours).toString(), 'contentscontents');
});

t.test(
  'no reader sees a member that ours does not, whatever the size of a member without contents',
  { skip: missing('tar') || missing('bsdtar') },
  async (t) => {
    const next = member({ name: 'next' }, 'abc');
    for (const magic of ['ustar', 'gnu', 'v7'] as const) {
      for (const type of ['1', '2', '3', '4', '5', '6']) {
        for (const isPax of [false, true]) {
          for (const body of [0, 1024]) {
            const fields = { name: 'a', link: 'b', type, magic };
            const archive = Buffer.concat([
              ...(isPax ? [pax([['size', '700']]), header(fields)] : [header({ ...fields, size: 700 })]),
              Buffer.alloc(body, 'b'),
              next,
              end,
            ]);
            const found = read(archive).members.map(({ path: name }) => name as string);
            const name = `${magic}, type ${type}, size in ${isPax ? 'PAX' : 'the header'}, body of ${body}`;
            t.same(found, ['a', 'next'], name);
            for (const program of ['tar', 'bsdtar']) {
              const others = list(program, archive).filter(
                (line) => !found.includes(line.replace(/\/$/, '')),
              );
              t.same(others, [], `${name}: ${program}`);
            }
          }
        }
      }
    }
  },
);
