import t from 'tap';
import { LayerfsError } from '../../../lib/errors.js';
import { limits } from '../../../lib/limits.js';
import type { Fail } from '../../../lib/tar/fault.js';
import { encodeRecord } from '../../../lib/tar/pax-record.js';
import { parsePax, parsePaxGlobal, type PaxHeader } from '../../../lib/tar/pax.js';
import { encodeName } from '../../../lib/tar/xattrs.js';
import { b, record } from './support.js';

const fail: Fail = (problem, code = 'TAR_INVALID') => {
  throw new LayerfsError(code, problem);
};

const parse = (payload: string): PaxHeader => parsePax(Buffer.from(payload, 'latin1'), fail);
const xattrs = (...records: string[]): [string, string][] =>
  [...(parse(records.join('')).xattrs?.decode() ?? [])].map(([name, value]) => [
    name,
    value.toString('latin1'),
  ]);

t.test('records', async (t) => {
  const header = parse(
    ['path', 'linkpath', 'uname', 'gname']
      .map((keyword) => record(keyword, `${keyword} of \xff\xfe`))
      .join('') +
      record('size', '8589934592') +
      record('uid', '3000000') +
      record('gid', '0') +
      record('mtime', '1.5') +
      record('SCHILY.devmajor', '8') +
      record('SCHILY.devminor', '1') +
      record('comment', 'nothing') +
      record('hdrcharset', 'BINARY') +
      record('atime', 'x'),
  );
  t.match(header, {
    path: 'path of \xff\xfe',
    linkPath: 'linkpath of \xff\xfe',
    uname: 'uname of \xff\xfe',
    gname: 'gname of \xff\xfe',
    size: 8_589_934_592,
    uid: 3_000_000,
    gid: 0,
    mtime: 1_500_000_000n,
    major: 8,
    minor: 1,
    xattrs: null,
    sparse: null,
    dropped: new Map(),
  });
});

t.test('values', async (t) => {
  t.equal(parse('').path, null, 'no record');
  t.equal(parse(record('path', 'a') + record('path', 'b')).path, 'b', 'of duplicates the last one');
  t.equal(parse(record('path', 'a') + record('path', '')).path, null, 'an empty value takes back');
  t.equal(parse(record('uid', '1') + record('uid', '')).uid, null, 'an empty number too');
  t.equal(parse(record('mtime', '1') + record('mtime', '')).mtime, null, 'an empty time too');
  t.equal(parse(record('path', 'a=b\nc 9 x=y')).path, 'a=b\nc 9 x=y', '= and newlines in a value');
  t.equal(parse(record('path', '12345')).path, '12345', 'GHSA-w8wr-v893-vjvp: text that looks like a number');
  t.equal(parse('0009 uid=7\n'.replace('0009', '0011')).uid, 7, 'zeros before a length');
  t.equal(parse(record('uid', '-1')).uid, -1, 'a minus is for the reader to refuse');
});

t.test('what is no record', async (t) => {
  const cases: readonly [name: string, payload: string][] = [
    ['length 0', '0 a=b\n'],
    ['length too short', '5 a=bc\n'],
    ['length too long', '7 a=b\n'],
    ['length beyond the header', '600 a=b\n'],
    ['length huge', `${'9'.repeat(400)} a=b\n`],
    ['length not decimal', '0x6 a=b\n'],
    ['length negative', '-6 a=b\n'],
    ['length missing', ' a=b\n'],
    ['length alone', '6'],
    ['length only covers itself', '2 a=b\n'],
    ['no newline', '6 a=bc'],
    ['no =', '5 ab\n'],
    ['no = but in the next record', '5 ab\n6 a=b\n'],
    ['no keyword', '5 =b\n'],
    ['NUL in a keyword', '7 a\0=b\n'],
    ['NULs after the last record', '6 a=b\n\0\0\0'],
    ['GHSA-gvwx-54wh-qm9j: NUL in a path', record('path', 'ok\0/../x')],
    ['NUL in a link path', record('linkpath', 'a\0b')],
    ['NUL in an unknown keyword', record('VENDOR.x', 'a\0b')],
    ['NUL in base64', record('LIBARCHIVE.xattr.user.a', 'AA\0A')],
    ['size with a fraction', record('size', '1.0')],
    ['size in words', record('size', 'ten')],
    ['uid with NUL', record('uid', '1\0')],
    ['mtime NaN', record('mtime', 'NaN')],
    ['mtime Infinity', record('mtime', 'Infinity')],
    ['mtime 1e400', record('mtime', '1e400')],
    ['xattr not base64', record('LIBARCHIVE.xattr.user.a', '!!!!')],
  ];
  for (const [name, payload] of cases) t.throws(() => parse(payload), { code: 'TAR_INVALID' }, name);
});

t.test('xattrs', async (t) => {
  const binary = '\0\x01\n=\xff\xfe\0';
  t.same(
    xattrs(record('SCHILY.xattr.user.a', binary)),
    [['user.a', binary]],
    'cautionary tale 5: values are bytes',
  );
  t.same(xattrs(record('SCHILY.xattr.user.a', '')), [['user.a', '']], 'an empty value is a value');
  t.same(
    xattrs(record('SCHILY.xattr.user.a', '1'), record('SCHILY.xattr.user.a', '2')),
    [['user.a', '2']],
    'the last one counts',
  );
  t.same(xattrs(record('LIBARCHIVE.xattr.user.a%20b', 'AP8K')), [['user.a b', '\0\xff\n']], 'bsdtar');
  t.same(xattrs(record('LIBARCHIVE.xattr.user.a', 'AP8')), [['user.a', '\0\xff']], 'base64 without padding');
  t.same(
    xattrs(record('LIBARCHIVE.xattr.user.a%20b', 'AP8K'), record('SCHILY.xattr.user.a%20b', 'raw')),
    [['user.a b', 'raw']],
    "bsdtar's pair is one attribute",
  );
  t.same(xattrs(record('SCHILY.xattr.user.a%3Db%25c%20', '1')), [['user.a=b%c%20', '1']], "GNU tar's names");
  t.same(
    xattrs(record('SCHILY.acl.access', 'user::rwx'), record('SCHILY.xattr.user.a', '1')),
    [['user.a', '1']],
    'ACLs as text are no xattrs',
  );
});

t.test('names of xattrs: decode(encode(name)) is name', async (t) => {
  for (const name of [
    'user.a',
    'user.a=b',
    'user.%',
    'user.%3D',
    'user.%25',
    'user.%%3D=%25=%',
    'user.%2=5',
    'user.\xff',
  ]) {
    t.same(xattrs(record(`SCHILY.xattr.${encodeName(b(name))}`, 'v')), [[name, 'v']], name);
  }
  t.equal(encodeName(b('user.100%')), 'user.100%', 'a lone % stays readable for everyone');
});

t.test('xattrs have limits', async (t) => {
  const many = (count: number): string =>
    Array.from({ length: count }, (_, index) => record(`SCHILY.xattr.user.${index}`, '')).join('');
  t.equal(xattrs(many(limits.xattrCount)).length, limits.xattrCount);
  t.throws(() => parse(many(limits.xattrCount + 1)), { code: 'LIMIT_EXCEEDED' });
  t.equal(xattrs(record('SCHILY.xattr.user.a', 'v'.repeat(limits.xattrValueSize))).length, 1);
  t.throws(() => parse(record('SCHILY.xattr.user.a', 'v'.repeat(limits.xattrValueSize + 1))), {
    code: 'LIMIT_EXCEEDED',
  });
});

t.test('what has no place in an entry is listed, once', async (t) => {
  const records = ['SCHILY.acl.access', 'SCHILY.fflags', 'RHT.security.selinux', 'SCHILY.fflags'];
  t.same(
    [...parse(records.map((keyword) => record(keyword, 'x')).join('')).dropped],
    [
      ['SCHILY.acl.access', 'acl'],
      ['SCHILY.fflags', 'file-flags'],
      ['RHT.security.selinux', 'selinux'],
    ],
  );
});

t.test('global headers', async (t) => {
  const global = (payload: string): string => parsePaxGlobal(Buffer.from(payload, 'latin1'), fail);
  t.equal(global(record('comment', 'a commit of git archive')), '');
  t.equal(global(record('path', 'x') + record('uid', '0') + record('path', 'y')), 'path, uid');
  t.throws(() => global('nonsense'), { code: 'TAR_INVALID' });
});

t.test('a record counts its own length', async (t) => {
  for (let length = 0; length < 1100; length++) {
    const encoded = encodeRecord(b('path'), b('v'.repeat(length)));
    if (parseInt(encoded, 10) !== encoded.length)
      t.fail(`a value of ${length} bytes: ${encoded.slice(0, 12)}`);
  }
  t.equal(encodeRecord(b('uid'), b('3000000')), '15 uid=3000000\n');
});
