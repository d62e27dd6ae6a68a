import t from 'tap';
import { bytes, type Bytes } from '../../../lib/bytes.js';
import * as sys from '../../../lib/sys/index.js';
import { needsRoot, testDirectory } from '../../support/privilege.js';

const name = bytes;
const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

t.test('by fd', async (t) => {
  const fd = sys.openat(sys.AT_FDCWD, name(`${testDirectory(t, { file: '' })}/file`), 0);
  t.teardown(() => sys.close(fd));
  t.same(sys.flistxattr(fd), []);
  t.equal(sys.fgetxattr(fd, name('user.a')), undefined, 'no such attribute is no error');
  sys.fsetxattr(fd, name('user.a'), every);
  sys.fsetxattr(fd, 'user.\xff' as Bytes, Buffer.alloc(0));
  t.same(sys.fgetxattr(fd, name('user.a')), every);
  t.same(sys.fgetxattr(fd, 'user.\xff' as Bytes), Buffer.alloc(0));
  t.same(sys.flistxattr(fd).sort(), ['user.a', 'user.\xff']);
  const exists = { code: 'EEXIST', errno: -17, syscall: 'fsetxattr', path: 'user.a' };
  t.throws(() => sys.fsetxattr(fd, name('user.a'), every, sys.XATTR_CREATE), exists);
  sys.fremovexattr(fd, name('user.a'));
  const gone = { code: 'ENODATA', errno: -61, syscall: 'fremovexattr', path: 'user.a' };
  t.throws(() => sys.fremovexattr(fd, name('user.a')), gone);
});

t.test('a value read earlier stays what it was', async (t) => {
  const fd = sys.openat(sys.AT_FDCWD, name(`${testDirectory(t, { file: '' })}/file`), 0);
  t.teardown(() => sys.close(fd));
  sys.fsetxattr(fd, name('user.a'), Buffer.from('first'));
  const first = sys.fgetxattr(fd, name('user.a'));
  sys.fsetxattr(fd, name('user.a'), Buffer.from('other'));
  sys.fgetxattr(fd, name('user.a'));
  t.equal(first?.toString(), 'first');
});

t.test('by path, and beneath an O_PATH fd', async (t) => {
  const directory = testDirectory(t, { file: '', link: t.fixture('symlink', 'file') });
  const fd = sys.openat(sys.AT_FDCWD, directory, sys.O_PATH);
  t.teardown(() => sys.close(fd));
  t.throws(() => sys.flistxattr(fd), { code: 'EBADF', errno: -9, syscall: 'flistxattr' });
  t.throws(() => sys.fgetxattr(fd, name('user.a')), { code: 'EBADF', syscall: 'fgetxattr', path: 'user.a' });
  const file = name(`${sys.procPath(fd)}/file`);
  const link = name(`${sys.procPath(fd)}/link`);
  sys.lsetxattr(file, name('user.a'), every);
  t.same(sys.lgetxattr(file, name('user.a')), every);
  t.equal(sys.lgetxattr(file, name('user.b')), undefined);
  t.same(sys.llistxattr(file), ['user.a']);
  t.same(sys.llistxattr(link), [], 'a symlink is not followed');
  const refused = { code: 'EPERM', errno: -1, syscall: 'lsetxattr', path: link };
  t.throws(() => sys.lsetxattr(link, name('user.a'), every), refused, 'no user attributes on a symlink');
  sys.lremovexattr(file, name('user.a'));
  const gone = { code: 'ENODATA', errno: -61, syscall: 'lremovexattr', path: file };
  t.throws(() => sys.lremovexattr(file, name('user.a')), gone);
  const missing = name('/missing');
  t.throws(() => sys.llistxattr(missing), {
    code: 'ENOENT',
    errno: -2,
    syscall: 'llistxattr',
    path: missing,
  });
  t.throws(() => sys.lgetxattr(missing, name('user.a')), {
    code: 'ENOENT',
    syscall: 'lgetxattr',
    path: missing,
  });
});

t.test('attributes of links and devices, and the largest there are', { skip: needsRoot }, async (t) => {
  const directory = testDirectory(t, { link: t.fixture('symlink', 'missing') });
  const link = name(`${directory}/link`);
  sys.lsetxattr(link, name('trusted.a'), Buffer.from('x'));
  t.same(sys.llistxattr(link), ['trusted.a']);
  const tooLarge = { code: 'E2BIG', syscall: 'lsetxattr' };
  t.throws(() => sys.lsetxattr(link, name('trusted.b'), Buffer.alloc(65_537)), tooLarge);
});
