import fs from 'node:fs';
import t from 'tap';
import { bytes, type Bytes } from '../../../lib/bytes.js';
import * as sys from '../../../lib/sys/index.js';
import { needsMountNamespace, testDirectory } from '../../support/privilege.js';

const name = bytes;
const nothing = name('');
const skip = needsMountNamespace();

t.test('mount and umount2', { skip }, async (t) => {
  const target = testDirectory(t, { below: 'x' });
  sys.mount(name('a source'), target, name('tmpfs'), sys.MS_NOSUID, name('size=1m,mode=750'));
  t.same(fs.readdirSync(target), []);
  t.equal(fs.statSync(target).mode & 0o777, 0o750);
  sys.umount2(target);
  t.same(fs.readdirSync(target), ['below']);
});

t.test('failures', { skip }, async (t) => {
  const target = testDirectory(t);
  const cases = [
    { call: () => sys.mount(null, target, name('nofs'), 0), code: 'ENODEV', syscall: 'mount', path: target },
    { call: () => sys.umount2(target), code: 'EINVAL', syscall: 'umount2', path: target },
    {
      call: () => sys.mount(null, target, name('tmpfs'), 0, `mode=750,${'size=1m,'.repeat(511)}` as Bytes),
      code: 'ENAMETOOLONG',
      syscall: 'mount',
      path: target,
    },
    {
      call: () => sys.openTree(-100, name('/missing'), 0),
      code: 'ENOENT',
      syscall: 'open_tree',
      path: '/missing',
    },
    {
      call: () => sys.moveMount(-100, name('/proc'), -100, name('/missing'), 0),
      code: 'ENOENT',
      syscall: 'move_mount',
      path: '/missing',
    },
    {
      call: () => sys.mountSetattr(-100, target, 0, { attrSet: sys.MOUNT_ATTR_RDONLY }),
      code: 'EINVAL',
      syscall: 'mount_setattr',
      path: target,
    },
  ];
  for (const { call, ...want } of cases) t.throws(call, want, want.syscall);
});

t.test('a mount is copied, changed, attached and moved by fd', { skip }, async (t) => {
  const base = testDirectory(t, { from: { file: 'x' }, to: {}, then: {} });
  const copy = sys.openTree(sys.AT_FDCWD, name(`${base}/from`), sys.OPEN_TREE_CLONE);
  const attrSet = sys.MOUNT_ATTR_RDONLY | sys.MOUNT_ATTR_NODEV;
  sys.mountSetattr(copy, nothing, sys.AT_EMPTY_PATH, { attrSet, propagation: sys.MS_PRIVATE });
  sys.moveMount(copy, nothing, sys.AT_FDCWD, name(`${base}/to`), sys.MOVE_MOUNT_F_EMPTY_PATH);
  t.throws(() => fs.writeFileSync(`${base}/to/file`, 'y'), { code: 'EROFS' });
  sys.moveMount(sys.AT_FDCWD, name(`${base}/to`), sys.AT_FDCWD, name(`${base}/then`), 0);
  t.equal(fs.readFileSync(`${base}/then/file`, 'utf8'), 'x');
  sys.mountSetattr(copy, nothing, sys.AT_EMPTY_PATH, { attrClr: sys.MOUNT_ATTR_RDONLY });
  fs.writeFileSync(`${base}/then/file`, 'y');
  sys.close(copy);
  sys.umount2(name(`${base}/then`), sys.MNT_DETACH);
});
