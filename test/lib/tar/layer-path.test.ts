import t from 'tap';
import { LayerfsError } from '../../../lib/errors.js';
import type { LayerPath } from '../../../lib/bytes.js';
import { limits } from '../../../lib/limits.js';
import { checkPath, normalisePath } from '../../../lib/tar/layer-path.js';
import { b } from './support.js';

t.test('paths', async (t) => {
  const cases: readonly [stored: string, path: string][] = [
    ['a', 'a'],
    ['a/b/c', 'a/b/c'],
    ['a/', 'a'],
    ['a/b//', 'a/b'],
    ['./a', 'a'],
    ['/etc/passwd', 'etc/passwd'],
    ['//etc/passwd', 'etc/passwd'],
    ['a//b', 'a/b'],
    ['a/./b', 'a/b'],
    ['a/.', 'a'],
    ['a/../b', 'b'],
    ['a/b/../../c', 'c'],
    ['dne/../.wh.etc', '.wh.etc'],
    ['.hidden', '.hidden'],
    ['a/.hidden', 'a/.hidden'],
    ['...', '...'],
    ['..a', '..a'],
    ['a/..b', 'a/..b'],
    ['\xff/\n', '\xff/\n'],
    ['', ''],
    ['.', ''],
    ['./', ''],
    ['/', ''],
    ['///', ''],
    ['/.', ''],
    ['a/..', ''],
    ['a/b/../..', ''],
  ];
  for (const [stored, path] of cases) t.equal(normalisePath(b(stored)), path, JSON.stringify(stored));
});

t.test('paths above the root are refused', async (t) => {
  for (const path of [
    '..',
    '../x',
    '../../x',
    '/..',
    '/../x',
    './../x',
    'a/../../x',
    'a/../..',
    '../dest-evil/secret',
    '../',
  ]) {
    t.throws(() => normalisePath(b(path)), { code: 'PATH_ESCAPE', detail: { path } }, path);
  }
});

t.test('lengths', async (t) => {
  const accepted = [
    'n'.repeat(limits.nameLength),
    `${'n'.repeat(limits.nameLength)}/${'m'.repeat(limits.nameLength)}`,
    `${'n'.repeat(limits.nameLength)}/`.repeat(limits.pathLength / 256).slice(0, -1),
    'd/'.repeat(limits.pathDepth - 1) + 'd',
  ];
  for (const path of accepted) t.equal(checkPath(path as LayerPath), path, `${path.length} bytes`);
  const refused: readonly [string, string][] = [
    ['a long name', 'n'.repeat(limits.nameLength + 1)],
    ['a long name at the end', `a/${'n'.repeat(limits.nameLength + 1)}`],
    ['a long name in front', `${'n'.repeat(limits.nameLength + 1)}/a`],
    ['a long path', `${'n'.repeat(99)}/`.repeat(limits.pathLength / 100 + 1)],
    ['a deep path', 'd/'.repeat(limits.pathDepth) + 'd'],
  ];
  for (const [name, path] of refused)
    t.throws(() => checkPath(path as LayerPath), { code: 'LIMIT_EXCEEDED' }, name);
});

t.test('messages stay short and printable', async (t) => {
  try {
    normalisePath(b(`../${'\x1b'.repeat(1_000_000)}`));
    t.fail('accepted');
  } catch (error) {
    if (!(error instanceof LayerfsError)) throw error;
    t.ok(error.message.length < 2000);
    t.notMatch(error.message, /\x1b/);
  }
});
