import t from 'tap';
import {
  ago,
  byteCount,
  fields,
  printable,
  shortDigest,
  shorten,
  table,
  timestamp,
} from '../../bin/output.js';

t.test('printable leaves text alone and escapes what moves a cursor', async (t) => {
  for (const [text, shown] of [
    ['häuser 房子', 'häuser 房子'],
    ['a\nb\tc', 'a\\x0ab\\x09c'],
    ['\x1b[2J\x7f\x9b', '\\x1b[2J\\x7f\\x9b'],
    ['C:\\dir', 'C:\\x5cdir'],
  ] as const) {
    t.equal(printable(text), shown);
  }
});

t.test('byteCount', async (t) => {
  for (const [count, text] of [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [99_940, '99.9 kB'],
    [99_960, '100 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [48_500_000, '48.5 MB'],
    [2 ** 40, '1.1 TB'],
    [5e18, '5000 PB'],
  ] as const) {
    t.equal(byteCount(count), text);
  }
});

t.test('ago', async (t) => {
  const now = Date.parse('2024-06-15T12:00:00Z');
  for (const [time, text] of [
    ['2024-06-15T11:59:30Z', 'just now'],
    ['2024-06-15T11:59:00Z', '1 minute ago'],
    ['2024-06-15T10:00:00Z', '2 hours ago'],
    ['2024-06-14T11:00:00Z', '1 day ago'],
    ['2024-06-01T12:00:00Z', '2 weeks ago'],
    ['2024-01-01T00:00:00Z', '5 months ago'],
    ['1970-01-01T00:00:00Z', '54 years ago'],
    ['2030-01-01T00:00:00Z', 'just now'],
    ['yesterday', '-'],
    [null, '-'],
  ] as const) {
    t.equal(ago(time, now), text, String(time));
  }
});

t.test('timestamp keeps the nanosecond, on both sides of 1970', async (t) => {
  for (const [nanoseconds, text] of [
    [0n, '1970-01-01T00:00:00.000000000Z'],
    [1n, '1970-01-01T00:00:00.000000001Z'],
    [-1n, '1969-12-31T23:59:59.999999999Z'],
    [-1_000_000_000n, '1969-12-31T23:59:59.000000000Z'],
    [4_102_444_800_123_456_789n, '2100-01-01T00:00:00.123456789Z'],
    [2n ** 63n - 1n, '2262-04-11T23:47:16.854775807Z'],
    [-(2n ** 63n), '1677-09-21T00:12:43.145224192Z'],
  ] as const) {
    t.equal(timestamp(nanoseconds), text);
  }
});

t.test('digests and long text are shortened', async (t) => {
  t.equal(shortDigest(`sha256:${'ab'.repeat(32)}`), 'abababababab');
  t.equal(shortDigest(null), '-');
  t.equal(shorten('12345', 5), '12345');
  t.equal(shorten('123456', 5), '1234…');
});

t.test('tables and fields line up', async (t) => {
  const rows = [
    { name: 'a', size: 5 },
    { name: 'longer', size: 12345 },
  ];
  const text = table(rows, [
    { heading: 'NAME', value: (row) => row.name },
    { heading: 'SIZE', value: (row) => String(row.size), align: 'right' },
    { heading: 'NOTE', value: () => '' },
  ]);
  t.equal(text, 'NAME     SIZE  NOTE\na           5\nlonger  12345\n');
  t.equal(
    fields([
      ['a', '1'],
      ['long', 'x\ny'],
    ]),
    'a:    1\nlong: x\\x0ay\n',
  );
});
