import {
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bytes } from '../../../lib/bytes.js';
import { removeTree, removeTreeAt } from '../../../lib/fs/remove.js';
import { MS_BIND, O_DIRECTORY, O_RDONLY, mount, umount2 } from '../../../lib/sys/index.js';
import { needsMountNamespace } from '../../support/privilege.js';

t.test('files, links, trees, and what is not there', async (t) => {
  const root = t.testdir({ keep: 'kept', file: 'x', tree: { a: { b: { c: 'x' } }, empty: {} } });
  symlinkSync('keep', join(root, 'link'));
  symlinkSync(root, join(root, 'tree', 'a', 'up'));
  for (const name of ['file', 'link', 'tree', 'none', join('none', 'deeper')]) {
    await removeTree(join(root, name));
    t.notOk(existsSync(join(root, name)), name);
  }
  t.equal(readFileSync(join(root, 'keep'), 'latin1'), 'kept', 'no symlink is followed');
});

t.test('below a descriptor, at once', async (t) => {
  const root = t.testdir({ keep: 'kept', tree: { a: { b: 'x' } } });
  const fd = openSync(root, O_RDONLY | O_DIRECTORY);
  t.teardown(() => closeSync(fd));
  removeTreeAt(fd, bytes('tree'));
  removeTreeAt(fd, bytes('none'));
  t.notOk(existsSync(join(root, 'tree')));
  t.ok(existsSync(join(root, 'keep')));
});

t.test('many files: others get their turn meanwhile', async (t) => {
  const root = t.testdir({ tree: {} });
  for (let i = 0; i < 2000; i++) writeFileSync(join(root, 'tree', String(i)), '');
  let turns = 0;
  const ticking = setInterval(() => (turns += 1), 0);
  await removeTree(join(root, 'tree'));
  clearInterval(ticking);
  t.ok(turns >= 2, `${turns} turns`);
});

t.test('a file that is no directory in the way is an error', async (t) => {
  const root = t.testdir({ file: 'x' });
  await t.rejects(removeTree(join(root, 'file', 'x')), { code: 'ENOTDIR' });
});

t.test('never into a mount (containerd#10704)', { skip: needsMountNamespace() }, async (t) => {
  const root = t.testdir({ precious: { data: 'x' }, tree: { mnt: {}, z: 'x' } });
  const at = bytes(join(root, 'tree', 'mnt'));
  mount(bytes(join(root, 'precious')), at, bytes('none'), MS_BIND, bytes(''));
  try {
    await t.rejects(removeTree(join(root, 'tree')), { code: 'IN_USE' });
    t.ok(existsSync(join(root, 'precious', 'data')));
  } finally {
    umount2(at, 0);
  }
  mkdirSync(join(root, 'tree', 'more'));
  await removeTree(join(root, 'tree'));
  t.notOk(existsSync(join(root, 'tree')));
  t.ok(existsSync(join(root, 'precious', 'data')));
});
