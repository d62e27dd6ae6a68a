import t from 'tap';
import { formatTime, isClamped, parseTime, timeOfSeconds, wholeSeconds } from '../../../lib/tar/time.js';

const latest = 2n ** 63n - 1n;
const earliest = -(2n ** 63n);

const parse = (text: string): bigint | null => parseTime(Buffer.from(`mtime=${text}\n`), 6, 6 + text.length);

t.test('PAX times', async (t) => {
  const cases: readonly [text: string, time: bigint | null][] = [
    ['0', 0n],
    ['1700000000', 1_700_000_000_000_000_000n],
    ['1700000000.123456789', 1_700_000_000_123_456_789n],
    ['1.5', 1_500_000_000n],
    ['1.', 1_000_000_000n],
    ['1.000000001', 1_000_000_001n],
    ['-1.5', -1_500_000_000n],
    ['-0.000000001', -1n],
    ['1.0000000019', 1_000_000_001n],
    ['-1.0000000010', -1_000_000_001n],
    ['-1.0000000011', -1_000_000_002n],
    ['2208988800', 2_208_988_800_000_000_000n],
    ['9223372036.854775807', latest],
    ['9223372036.854775808', latest],
    ['9223372037', latest],
    ['253402300799', latest],
    ['99999999999999999999999999', latest],
    ['-9223372036.854775808', earliest],
    ['-62167219200', earliest],
    ['', null],
    ['-', null],
    ['.5', null],
    ['-.5', null],
    ['+1', null],
    ['1.2.3', null],
    ['1,5', null],
    ['NaN', null],
    ['Infinity', null],
    ['-Infinity', null],
    ['1e400', null],
    ['0x10', null],
    ['1 ', null],
    ['1.5\0', null],
    ['1\0', null],
  ];
  for (const [text, time] of cases) t.equal(parse(text), time, JSON.stringify(text));
});

t.test('a PAX time ends where its record does', async (t) => {
  t.equal(parseTime(Buffer.from('1234'), 1, 3), 23_000_000_000n);
  t.equal(parseTime(Buffer.from('1.234'), 0, 3), 1_200_000_000n);
  t.equal(parseTime(Buffer.from('1.234'), 0, 1), 1_000_000_000n);
});

t.test('times of headers are clamped to 64 bits of nanoseconds', async (t) => {
  t.equal(timeOfSeconds(-1), -1_000_000_000n);
  t.equal(timeOfSeconds(9_223_372_036), 9_223_372_036_000_000_000n);
  t.equal(timeOfSeconds(9_223_372_037), latest);
  t.equal(timeOfSeconds(2 ** 90), latest);
  t.equal(timeOfSeconds(-9_223_372_037), earliest);
  t.ok(isClamped(timeOfSeconds(2 ** 40)));
  t.notOk(isClamped(timeOfSeconds(2 ** 33)));
});

t.test('parseTime(formatTime(time)) is time', async (t) => {
  for (const [time, text] of [
    [0n, '0'],
    [1n, '0.000000001'],
    [-1n, '-0.000000001'],
    [-1_000_000_000n, '-1'],
    [1_500_000_000n, '1.5'],
    [1_700_000_000_123_456_789n, '1700000000.123456789'],
    [latest, '9223372036.854775807'],
    [earliest, '-9223372036.854775808'],
  ] as const) {
    t.equal(formatTime(time), text);
    t.equal(parse(text), time, text);
  }
});

t.test('whole seconds are those a header holds', async (t) => {
  t.equal(wholeSeconds(5_000_000_000n, 10), 5);
  t.equal(wholeSeconds(0n, 10), 0);
  t.equal(wholeSeconds(10_000_000_000n, 10), 10);
  t.equal(wholeSeconds(11_000_000_000n, 10), null);
  t.equal(wholeSeconds(5_000_000_001n, 10), null);
  t.equal(wholeSeconds(-5_000_000_000n, 10), null);
});
