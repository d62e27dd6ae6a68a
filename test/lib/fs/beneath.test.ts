import { closeSync, mkdirSync, openSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bytes, type LayerPath } from '../../../lib/bytes.js';
import { linkBeneath, openBeneath } from '../../../lib/fs/beneath.js';
import { removeTree } from '../../../lib/fs/remove.js';
import { O_DIRECTORY, O_RDONLY, close, mkdirat, openat, procPath } from '../../../lib/sys/index.js';
import { makeScratchDirectory } from '../../support/scratch.js';

const path = (text: string): LayerPath => text as LayerPath;

function contentsOf(root: number, at: string): string {
  const fd = openBeneath(root, path(at), O_RDONLY);
  try {
    return readFileSync(procPath(fd), 'latin1');
  } finally {
    close(fd);
  }
}

t.test('files by their path, and none through a symlink', async (t) => {
  const directory = t.testdir({ d: { f: 'text' }, g: 'top' });
  symlinkSync('d', join(directory, 'l'));
  symlinkSync('/etc/passwd', join(directory, 'd', 'out'));
  const root = openSync(directory, O_RDONLY | O_DIRECTORY);
  t.teardown(() => closeSync(root));
  t.equal(contentsOf(root, 'g'), 'top');
  t.equal(contentsOf(root, 'd/f'), 'text');
  for (const [at, code] of [
    ['l/f', 'ELOOP'],
    ['d/out', 'ELOOP'],
    ['../x', 'EXDEV'],
    ['/etc/passwd', 'EXDEV'],
    ['none', 'ENOENT'],
    ['g/f', 'ENOTDIR'],
  ] as const) {
    t.throws(() => openBeneath(root, path(at), O_RDONLY), { code }, at);
  }
  linkBeneath(root, path('d/f'), root, bytes('linked'));
  t.equal(statSync(join(directory, 'linked')).nlink, 2);
});

t.test('paths longer than PATH_MAX, up to every length around it', async (t) => {
  const directory = makeScratchDirectory();
  t.teardown(() => removeTree(directory));
  const root = openSync(directory, O_RDONLY | O_DIRECTORY);
  t.teardown(() => closeSync(root));
  const names = Array.from({ length: 30 }, (_, i) => `${String(i).padStart(3, '0')}${'d'.repeat(247)}`);
  let at = openat(root, bytes('.'), O_RDONLY | O_DIRECTORY);
  for (const name of names) {
    mkdirat(at, bytes(name), 0o700);
    const next = openat(at, bytes(name), O_RDONLY | O_DIRECTORY);
    close(at);
    at = next;
  }
  t.teardown(() => close(at));
  writeFileSync(`${procPath(at)}/f`, 'deep');
  const deep = names.join('/');
  t.ok(deep.length > 7500);
  t.equal(contentsOf(root, `${deep}/f`), 'deep');
  linkBeneath(root, path(`${deep}/f`), root, bytes('top'));
  t.equal(readFileSync(join(directory, 'top'), 'latin1'), 'deep');

  // A directory for each length, so that the slash to cut at is at every place.
  mkdirSync(join(directory, 'x'));
  for (let length = 1; length <= 250; length += 7) {
    const name = 'y'.repeat(length);
    mkdirat(at, bytes(name), 0o700);
    writeFileSync(`${procPath(at)}/${name}/f`, String(length));
    t.equal(contentsOf(root, `${deep}/${name}/f`), String(length));
  }
});
