import t from 'tap';
import { parseDecimal, parseNumber, writeOctal } from '../../../lib/tar/number.js';

t.test('numbers of header fields', async (t) => {
  const cases: readonly [name: string, field: string, value: number][] = [
    ['octal with NUL', '0000644\0', 0o644],
    ['octal with blank', '000644 \0', 0o644],
    ['octal without an end', '77777777', 0o77777777],
    ['blanks in front', '    644\0', 0o644],
    ['NULs in front', '\0\0\x00644\0\0', 0o644],
    ['all blank', '        ', 0],
    ['all NUL', '\0\0\0\0\0\0\0\0', 0],
    ['what follows the end is nothing', '644\0junk', 0o644],
    ['digit 8', '0000648\0', NaN],
    ['letters', 'abc\0\0\0\0\0', NaN],
    ['minus', '-000644\0', NaN],
    ['base-256', '\x80\0\0\0\0\x2d\xc6\xc0', 3_000_000],
    ['base-256 with bits in its first byte', '\x81\0\0\0\0\0\0\0', 2 ** 56],
    ['base-256 of -1', '\xff\xff\xff\xff\xff\xff\xff\xff', -1],
    ['base-256 of -2', '\xff\xff\xff\xff\xff\xff\xff\xfe', -2],
    ['base-256 of -256', '\xff\xff\xff\xff\xff\xff\xff\0', -256],
  ];
  for (const [name, field, value] of cases) {
    const block = Buffer.from(`xx${field}xx`, 'latin1');
    t.same(parseNumber(block, { start: 2, length: 8 }), value, name);
  }
});

t.test('a number over 2^53 is never read as a small one', async (t) => {
  const field = (bytes: string): number =>
    parseNumber(Buffer.from(bytes, 'latin1'), { start: 0, length: 12 });
  t.ok(field('\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff') > 2 ** 63);
  t.ok(field('\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff') > 2 ** 90);
  t.ok(field('\xc0\0\0\0\0\0\0\0\0\0\0\0') < -(2 ** 90));
});

t.test('decimal numbers', async (t) => {
  for (const [text, value] of [
    ['0', 0],
    ['0017', 17],
    ['3000000', 3_000_000],
    ['', NaN],
    ['-1', NaN],
    ['+1', NaN],
    ['1.0', NaN],
    ['1e3', NaN],
    ['0x1', NaN],
    [' 1', NaN],
  ] as const) {
    t.same(parseDecimal(Buffer.from(text), 0, text.length), value, JSON.stringify(text));
  }
});

t.test('octal is written and read back', async (t) => {
  for (const value of [0, 7, 8, 0o644, 0o7777777, 2 ** 31, 0o77777777777]) {
    const field = Buffer.alloc(12);
    writeOctal(field, value, 0, 11);
    t.equal(field.toString('latin1'), `${value.toString(8).padStart(11, '0')}\0`);
    t.equal(parseNumber(field, { start: 0, length: 12 }), value);
  }
});
