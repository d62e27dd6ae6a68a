import {
  closeSync,
  ftruncateSync,
  fstatSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { copyFileContents } from '../../../lib/fs/copy-file.js';

/** A file of a size with data in some places and holes elsewhere. */
function makeSparse(path: string, size: number, runs: readonly (readonly [number, string])[]): void {
  const fd = openSync(path, 'w');
  ftruncateSync(fd, size);
  for (const [offset, text] of runs) writeSync(fd, text, offset);
  closeSync(fd);
}

function copy(t: Test, from: string, size: number): { data: Buffer; blocks: number } {
  const to = join(t.testdirName, 'copy');
  const [source, target] = [openSync(from, 'r'), openSync(to, 'w')];
  try {
    t.match(copyFileContents(source, target, size), /^(reflink|copy)$/);
    return { data: readFileSync(to), blocks: fstatSync(target).blocks };
  } finally {
    closeSync(source);
    closeSync(target);
  }
}

const mebi = 1024 * 1024;

t.test('the copy is the same, holes included', async (t) => {
  const cases: readonly (readonly [
    name: string,
    size: number,
    runs: readonly (readonly [number, string])[],
  ])[] = [
    ['nothing', 0, []],
    ['a byte', 1, [[0, 'x']]],
    ['no holes', 3 * mebi + 17, [[0, 'x'.repeat(3 * mebi + 17)]]],
    ['nothing but a hole', 5 * mebi, []],
    ['a hole at the beginning', 4 * mebi, [[4 * mebi - 3, 'end']]],
    ['a hole at the end', 4 * mebi, [[0, 'begin']]],
    [
      'holes between',
      8 * mebi,
      [
        [mebi, 'one'],
        [5 * mebi, 'two'],
      ],
    ],
  ];
  for (const [name, size, runs] of cases) {
    const from = join(t.testdir(), 'source');
    makeSparse(from, size, runs);
    const { data, blocks } = copy(t, from, size);
    t.ok(data.equals(readFileSync(from)), name);
    const dense = runs.reduce((sum, [, text]) => sum + text.length, 0);
    t.ok(blocks * 512 <= dense + 64 * 1024 * (runs.length + 1), `${name}: ${blocks} blocks`);
  }
});

t.test('a source that has shrunk leaves zeros, and no endless loop', async (t) => {
  const from = join(t.testdir(), 'source');
  writeFileSync(from, 'short');
  const { data } = copy(t, from, 10_000);
  t.equal(data.toString('latin1').replace(/\0+$/, ''), 'short');
});
