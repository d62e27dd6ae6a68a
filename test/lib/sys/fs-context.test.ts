import fs from 'node:fs';
import t, { type Test } from 'tap';
import { bytes, type Bytes } from '../../../lib/bytes.js';
import * as sys from '../../../lib/sys/index.js';
import { needsMountNamespace, testDirectory } from '../../support/privilege.js';

const name = bytes;
const nothing = name('');
const skip = needsMountNamespace();

function context(t: Test, type: string): number {
  const fd = sys.fsopen(name(type));
  t.teardown(() => sys.close(fd));
  return fd;
}

t.test('a tmpfs, changed afterwards', { skip }, async (t) => {
  const target = testDirectory(t);
  const tmpfs = context(t, 'tmpfs');
  sys.fsconfigString(tmpfs, name('size'), name('1m'));
  sys.fsconfigCreate(tmpfs);
  const mount = sys.fsmount(tmpfs, sys.MOUNT_ATTR_NOEXEC);
  t.teardown(() => sys.close(mount));
  sys.mkdirat(mount, name('inside'), 0o700);
  sys.moveMount(mount, nothing, sys.AT_FDCWD, target, sys.MOVE_MOUNT_F_EMPTY_PATH);
  try {
    t.same(fs.readdirSync(target), ['inside']);
    const again = sys.fspick(sys.AT_FDCWD, target);
    t.teardown(() => sys.close(again));
    sys.fsconfigFlag(again, name('ro'));
    sys.fsconfigReconfigure(again);
    t.throws(() => sys.mkdirat(mount, name('more'), 0o700), { code: 'EROFS' });
  } finally {
    sys.umount2(target, sys.MNT_DETACH);
  }
});

/** Linux 6.13 takes layers by fd, O_PATH fds among them. */
for (const { title, flags } of [
  { title: 'opened for reading', flags: sys.O_DIRECTORY },
  { title: 'O_PATH', flags: sys.O_PATH | sys.O_DIRECTORY },
]) {
  t.test(`an overlay of directories given by fd, ${title}`, { skip }, async (t) => {
    const base = testDirectory(t, { a: { a: '' }, b: { b: '' }, upper: {}, work: {}, target: {} });
    const fds = new Map<string, number>();
    for (const directory of ['a', 'b', 'upper', 'work']) {
      const fd = sys.openat(sys.AT_FDCWD, name(`${base}/${directory}`), flags);
      fds.set(directory, fd);
      t.teardown(() => sys.close(fd));
    }
    const overlay = context(t, 'overlay');
    for (const [key, directory] of [
      ['lowerdir+', 'a'],
      ['lowerdir+', 'b'],
      ['upperdir', 'upper'],
      ['workdir', 'work'],
    ] as const) {
      sys.fsconfigFd(overlay, name(key), fds.get(directory) ?? -1);
    }
    sys.fsconfigCreate(overlay);
    const mount = sys.fsmount(overlay);
    t.teardown(() => sys.close(mount));
    sys.moveMount(mount, nothing, sys.AT_FDCWD, name(`${base}/target`), sys.MOVE_MOUNT_F_EMPTY_PATH);
    try {
      t.same(fs.readdirSync(`${base}/target`), ['a', 'b']);
      fs.writeFileSync(`${base}/target/c`, '');
      t.same(fs.readdirSync(`${base}/upper`), ['c']);
    } finally {
      sys.umount2(name(`${base}/target`), sys.MNT_DETACH);
    }
  });
}

t.test('what the kernel says becomes part of the error', { skip }, async (t) => {
  const overlay = context(t, 'overlay');
  const unknown = {
    code: 'EINVAL',
    errno: -22,
    syscall: 'fsconfig',
    path: 'nonsense',
    message: "EINVAL: invalid argument, fsconfig 'nonsense': e overlay: Unknown parameter 'nonsense'",
  };
  t.throws(() => sys.fsconfigString(overlay, name('nonsense'), name('1')), unknown);
  t.same(sys.readFsContextLog(overlay), [], 'said once');
});

t.test('failures', { skip }, async (t) => {
  t.throws(() => sys.fsopen(name('nofs')), { code: 'ENODEV', errno: -19, syscall: 'fsopen', path: 'nofs' });
  const overlay = context(t, 'overlay');
  const long = 'x'.repeat(256) as Bytes;
  const cases = [
    { call: () => sys.fsconfigFlag(overlay, long), code: 'EINVAL', syscall: 'fsconfig', path: long },
    { call: () => sys.fsconfigString(overlay, name('source'), long), code: 'EINVAL', path: 'source' },
    { call: () => sys.fsconfigFd(overlay, name('upperdir'), -1), code: 'EINVAL', path: 'upperdir' },
    { call: () => sys.fsmount(overlay), code: 'EINVAL', syscall: 'fsmount' },
    { call: () => sys.fsconfigCreate(overlay), code: 'EINVAL', syscall: 'fsconfig FSCONFIG_CMD_CREATE' },
    {
      call: () => sys.fspick(sys.AT_FDCWD, name('/missing')),
      code: 'ENOENT',
      syscall: 'fspick',
      path: '/missing',
    },
    { call: () => sys.readFsContextLog(-1), code: 'EBADF', syscall: 'read' },
  ];
  for (const { call, ...want } of cases) t.throws(call, want, JSON.stringify(want));
  t.throws(() => sys.fsconfigReconfigure(overlay), {
    code: 'EBUSY',
    syscall: 'fsconfig FSCONFIG_CMD_RECONFIGURE',
  });
});
