import t from 'tap';
import { Block } from '../../../lib/tar/block.js';
import type { Fail } from '../../../lib/tar/fault.js';
import { decodeHeader, isChecksumRight, type Header } from '../../../lib/tar/header.js';
import { header, type HeaderFields } from './support.js';

const fail: Fail = (problem) => {
  throw new Error(problem);
};

function decode(fields: HeaderFields): Header {
  const block = new Block();
  block.bytes.set(header(fields));
  if (!isChecksumRight(block.bytes, block.sum())) throw new Error('checksum');
  return decodeHeader(block.bytes, fail);
}

t.test('a literal ustar header', async (t) => {
  const fields = [
    'usr/bin/env'.padEnd(100, '\0'), // name
    '0004755\0', // mode
    '0001750\0', // uid
    '0001751\0', // gid
    '00000000013\0', // size
    '14524623400\0', // mtime
    '        ', // checksum
    '0', // type
    ''.padEnd(100, '\0'), // link name
    'ustar\x0000', // magic, version
    'root'.padEnd(32, '\0'), // uname
    'wheel'.padEnd(32, '\0'), // gname
    '0000000\0', // major
    '0000000\0', // minor
    ''.padEnd(155, '\0'), // prefix
    ''.padEnd(12, '\0'),
  ].join('');
  const block = new Block();
  block.bytes.set(Buffer.from(fields, 'latin1'));
  t.equal(fields.length, 512);
  t.equal(
    block.sum(),
    [...Buffer.from(fields, 'latin1')].reduce((sum, byte) => sum + byte, 0),
  );
  t.same(decodeHeader(block.bytes, fail), {
    typeflag: 0x30,
    format: 'ustar',
    name: 'usr/bin/env',
    linkName: '',
    mode: 0o4755,
    uid: 1000,
    gid: 1001,
    size: 11,
    mtime: 1_699_948_288,
    uname: 'root',
    gname: 'wheel',
    major: 0,
    minor: 0,
  });
});

t.test('names and prefixes', async (t) => {
  const full = 'n'.repeat(100);
  const cases: readonly [name: string, fields: HeaderFields, expected: string][] = [
    ['a name fills its field', { name: full }, full],
    ['a NUL ends a name', { name: 'a\0b' }, 'a'],
    ['ustar prefix', { name: 'b', prefix: 'a' }, 'a/b'],
    ['ustar prefix fills its field', { name: full, prefix: 'p'.repeat(155) }, `${'p'.repeat(155)}/${full}`],
    [
      'star has a shorter prefix',
      { name: 'b', prefix: `${'p'.repeat(131)}00000000000`, at: [[508, 'tar\0']] },
      `${'p'.repeat(131)}/b`,
    ],
    ['v7 has no prefix', { name: 'b', prefix: 'a', magic: 'v7' }, 'b'],
    ['GNU has times there', { name: 'b', prefix: '14524623400\x0014524623400\0', magic: 'gnu' }, 'b'],
    ['GNU has one time there', { name: 'b', prefix: '14524623400\0', magic: 'gnu' }, 'b'],
    [
      'GNU has base-256 times there',
      {
        name: 'b',
        prefix: Buffer.from('\x80\0\0\0\0\0\0\0\x65\x53\xf1\0'.repeat(2), 'latin1'),
        magic: 'gnu',
      },
      'b',
    ],
    [
      'golang/go#21005: Go 1.7 wrote a prefix into GNU headers',
      { name: 'b', prefix: 'usr/lib/long', magic: 'gnu' },
      'usr/lib/long/b',
    ],
    ['neither time nor ASCII', { name: 'b', prefix: 'usr/\xff', magic: 'gnu' }, 'b'],
  ];
  for (const [name, fields, expected] of cases) t.equal(decode(fields).name, expected, name);
});

t.test('formats', async (t) => {
  t.equal(decode({ magic: 'ustar' }).format, 'ustar');
  t.equal(decode({ magic: 'gnu' }).format, 'gnu');
  t.equal(decode({ magic: 'v7' }).format, 'v7');
  t.equal(decode({ at: [[263, '\0\0']] }).format, 'ustar', 'ustar of no version');
  t.equal(decode({ at: [[257, 'ustar1']] }).format, 'v7', 'not quite ustar');
  t.equal(decode({ at: [[257, 'ustar 00']] }).format, 'v7', 'not quite GNU');
  const { uname, gname, major } = decode({ magic: 'v7', uname: 'u', gname: 'g', type: '3', major: 'junk' });
  t.same([uname, gname, major], ['', '', 0], 'v7 ends at the link name');
});

t.test('device numbers are read for devices only', async (t) => {
  t.match(decode({ type: '3', major: 4, minor: 5 }), { major: 4, minor: 5 });
  t.match(decode({ type: '0', major: 'junk', minor: 'junk' }), { major: 0, minor: 0 });
  t.throws(() => decode({ type: '4', major: 'junk' }), { message: /major/ });
});

t.test('checksums', async (t) => {
  const check = (fields: HeaderFields): boolean => {
    const block = new Block();
    block.bytes.set(header(fields));
    return isChecksumRight(block.bytes, block.sum());
  };
  t.ok(check({ name: 'caf\xe9\xff' }), 'of unsigned bytes');
  t.ok(check({ name: 'caf\xe9\xff', checksum: 'signed' }), 'of signed bytes');
  t.notOk(check({ name: 'caf\xe9\xff', checksum: 'wrong' }), 'wrong');
  const blank = header({ name: 'a' }).fill(0, 148, 156);
  const block = new Block();
  block.bytes.set(blank);
  t.notOk(isChecksumRight(block.bytes, block.sum()), 'missing');
});

t.test('a field that holds no number is named', async (t) => {
  for (const name of ['mode', 'uid', 'gid', 'size', 'mtime'] as const) {
    t.throws(() => decode({ [name]: 'wxyz' }), { message: new RegExp(name) }, name);
  }
});
