import fs from 'node:fs';
import t, { type Test } from 'tap';
import { bytes, type Bytes } from '../../../lib/bytes.js';
import * as sys from '../../../lib/sys/index.js';
import { needsRoot, testDirectory } from '../../support/privilege.js';

const name = bytes;

function open(t: Test, content = {}): number {
  const fd = sys.openat(sys.AT_FDCWD, testDirectory(t, content), sys.O_DIRECTORY);
  t.teardown(() => sys.close(fd));
  return fd;
}

t.test('mkdirat', async (t) => {
  const root = open(t);
  sys.mkdirat(root, name('d'), 0o700);
  t.equal(sys.statx(root, name('d'), 0).mode, sys.S_IFDIR | 0o700);
  t.throws(() => sys.mkdirat(root, name('d'), 0), {
    code: 'EEXIST',
    errno: -17,
    syscall: 'mkdirat',
    path: 'd',
  });
});

t.test('mknodat: FIFOs and files', async (t) => {
  const root = open(t);
  sys.mknodat(root, name('fifo'), sys.S_IFIFO | 0o600);
  sys.mknodat(root, name('file'), sys.S_IFREG | 0o600);
  t.equal(sys.statx(root, name('fifo'), 0).mode & sys.S_IFMT, sys.S_IFIFO);
  t.equal(sys.statx(root, name('file'), 0).mode & sys.S_IFMT, sys.S_IFREG);
  const exists = { code: 'EEXIST', errno: -17, syscall: 'mknodat', path: 'fifo' };
  t.throws(() => sys.mknodat(root, name('fifo'), sys.S_IFIFO), exists);
});

t.test('mknodat: devices', { skip: needsRoot }, async (t) => {
  const root = open(t);
  for (const [major, minor] of [
    [0, 0],
    [1, 3],
    [0xfff, 0xfffff],
    [259, 0x12345],
  ] as const) {
    const device = name(`${major}-${minor}`);
    sys.mknodat(root, device, sys.S_IFCHR | 0o600, major, minor);
    const { rdevMajor, rdevMinor } = sys.statx(root, device, 0);
    t.same([rdevMajor, rdevMinor], [major, minor]);
  }
});

t.test('mknodat: a number too wide is refused, not cut', async (t) => {
  const root = open(t);
  const invalid = { code: 'EINVAL', errno: -22, syscall: 'mknodat', path: 'd' };
  t.throws(() => sys.mknodat(root, name('d'), sys.S_IFCHR, 0x1000, 0), invalid);
  t.throws(() => sys.mknodat(root, name('d'), sys.S_IFCHR, 0, 0x100000), invalid);
  t.throws(() => sys.mknodat(root, name('d'), sys.S_IFCHR, -1, 0), invalid);
});

t.test('symlinkat and readlinkat', async (t) => {
  const root = open(t);
  const target = `../\xff/${'t'.repeat(4000)}` as Bytes;
  sys.symlinkat(target, root, name('link'));
  t.equal(sys.readlinkat(root, name('link')), target);
  const fd = sys.openat(root, name('link'), sys.O_PATH | sys.O_NOFOLLOW);
  t.equal(sys.readlinkat(fd, name('')), target, 'by the fd of the link itself');
  sys.close(fd);
  const exists = { code: 'EEXIST', errno: -17, syscall: 'symlinkat', path: 'link' };
  t.throws(() => sys.symlinkat(target, root, name('link')), exists);
  const tooLong = { code: 'ENAMETOOLONG', syscall: 'symlinkat' };
  t.throws(() => sys.symlinkat('t'.repeat(4096) as Bytes, root, name('other')), tooLong);
  const missing = { code: 'ENOENT', errno: -2, syscall: 'readlinkat', path: 'missing' };
  t.throws(() => sys.readlinkat(root, name('missing')), missing);
});

t.test('linkat', async (t) => {
  const root = open(t, { file: 'x', other: 'y' });
  sys.linkat(root, name('file'), root, name('second'));
  t.equal(sys.statx(root, name('second'), 0).nlink, 2);
  const exists = { code: 'EEXIST', errno: -17, syscall: 'linkat', path: 'other' };
  t.throws(() => sys.linkat(root, name('file'), root, name('other')), exists);
});

t.test('unlinkat', async (t) => {
  const root = open(t, { file: 'x', empty: {}, full: { a: '' } });
  sys.unlinkat(root, name('file'));
  sys.unlinkat(root, name('empty'), sys.AT_REMOVEDIR);
  t.equal(sys.tryUnlinkat(root, name('file')), -sys.errno.ENOENT);
  t.equal(sys.tryUnlinkat(root, name('full')), -sys.errno.EISDIR);
  t.equal(sys.tryUnlinkat(root, name('full'), sys.AT_REMOVEDIR), -sys.errno.ENOTEMPTY);
  const missing = { code: 'ENOENT', errno: -2, syscall: 'unlinkat', path: 'file' };
  t.throws(() => sys.unlinkat(root, name('file')), missing);
});

t.test('renameat2', async (t) => {
  const root = open(t, { a: 'a', b: 'b', d: {} });
  const path = t.testdirName;
  const exists = { code: 'EEXIST', errno: -17, syscall: 'renameat2', path: 'a' };
  t.throws(() => sys.renameat2(root, name('a'), root, name('b'), sys.RENAME_NOREPLACE), exists);
  sys.renameat2(root, name('a'), root, name('b'), sys.RENAME_EXCHANGE);
  t.equal(fs.readFileSync(`${path}/a`, 'utf8'), 'b');
  sys.renameat2(root, name('b'), root, name('d/c'));
  t.equal(fs.readFileSync(`${path}/d/c`, 'utf8'), 'a');
});
