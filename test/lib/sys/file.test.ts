import fs from 'node:fs';
import { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { bytes, type Bytes } from '../../../lib/bytes.js';
import * as sys from '../../../lib/sys/index.js';
import { needsRoot, testDirectory } from '../../support/privilege.js';

const { AT_FDCWD, AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW, O_CREAT, O_DIRECTORY, O_EXCL, O_PATH, O_WRONLY } = sys;
const name = bytes;

function tree(t: Test): { root: number; path: Bytes } {
  const path = testDirectory(t, {
    file: 'content',
    sub: { inner: 'x' },
    absolute: t.fixture('symlink', '/file'),
    up: t.fixture('symlink', '../../etc'),
    inside: t.fixture('symlink', 'sub/inner'),
  });
  const root = sys.openat(AT_FDCWD, path, O_DIRECTORY);
  t.teardown(() => sys.close(root));
  return { root, path };
}

t.test('openat', async (t) => {
  const { root } = tree(t);
  const fd = sys.openat(root, name('new'), O_CREAT | O_EXCL | O_WRONLY, 0o600);
  t.equal(fs.fstatSync(fd).mode & 0o777, 0o600);
  t.match(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'), /flags:\s+02/, 'closed on exec');
  sys.close(fd);
  const again = { code: 'EEXIST', errno: -17, syscall: 'openat', path: 'new' };
  t.throws(() => sys.openat(root, name('new'), O_CREAT | O_EXCL | O_WRONLY, 0o600), again);
});

t.test('openat2 confines by its resolve flags', async (t) => {
  const { root, path } = tree(t);
  const magic = bytes(`/proc/self/fd/${root}/file`);
  const cases = [
    { path: 'sub/inner', resolve: sys.RESOLVE_BENEATH, want: 0 },
    { path: 'inside', resolve: sys.RESOLVE_BENEATH, want: 0 },
    { path: 'absolute', resolve: sys.RESOLVE_BENEATH, want: -sys.errno.EXDEV },
    { path: 'up', resolve: sys.RESOLVE_BENEATH, want: -sys.errno.EXDEV },
    { path: '../x', resolve: sys.RESOLVE_BENEATH, want: -sys.errno.EXDEV },
    { path: 'absolute', resolve: sys.RESOLVE_IN_ROOT, want: 0 },
    { path: '../../file', resolve: sys.RESOLVE_IN_ROOT, want: 0 },
    { path: 'up', resolve: sys.RESOLVE_IN_ROOT, want: -sys.errno.ENOENT },
    { path: 'inside', resolve: sys.RESOLVE_NO_SYMLINKS, want: -sys.errno.ELOOP },
    { path: magic, resolve: 0, want: 0 },
    { path: magic, resolve: sys.RESOLVE_NO_MAGICLINKS, want: -sys.errno.ELOOP },
    { path: '/proc/self', resolve: sys.RESOLVE_NO_XDEV, want: -sys.errno.EXDEV },
    { path: 'sub', resolve: 0x8000, want: -sys.errno.EINVAL },
  ];
  for (const { path, resolve, want } of cases) {
    const result = sys.tryOpenat2(root, path as Bytes, { flags: O_PATH, resolve });
    t.equal(Math.min(result, 0), want, `${path} under ${resolve}`);
    if (result >= 0) sys.close(result);
  }
  const how = { flags: O_PATH, resolve: sys.RESOLVE_BENEATH };
  t.throws(() => sys.openat2(root, path, how), { code: 'EXDEV', errno: -18, syscall: 'openat2', path });
});

t.test('a path is passed on whole or not at all', async (t) => {
  const { root } = tree(t);
  const cases = [
    { name: 'with a NUL', path: 'file\0.txt', code: 'EINVAL' },
    { name: 'with a character that is no byte', path: 'file\u012fetc', code: 'EINVAL' },
    { name: 'longer than PATH_MAX', path: './'.repeat(2048), code: 'ENAMETOOLONG' },
    {
      name: 'as long as PATH_MAX and its end out of sight',
      path: `${'./'.repeat(2048)}file`,
      code: 'ENAMETOOLONG',
    },
    { name: 'with a component longer than NAME_MAX', path: 'x'.repeat(256), code: 'ENAMETOOLONG' },
  ];
  for (const { name, path, code } of cases) {
    t.throws(() => sys.openat(root, path as Bytes, O_PATH), { code, syscall: 'openat' }, name);
  }
  const longest = `${'./'.repeat(2045)}/file` as Bytes;
  t.equal(longest.length, 4095);
  sys.close(sys.openat(root, longest, O_PATH));
});

t.test('names are bytes', async (t) => {
  const { root, path } = tree(t);
  sys.close(sys.openat(root, 'caf\xe9' as Bytes, O_CREAT | O_WRONLY, 0o600));
  t.ok(fs.readdirSync(Buffer.from(path, 'latin1'), { encoding: 'latin1' }).includes('caf\xe9'));
});

t.test('close', async (t) => {
  t.throws(() => sys.close(-1), { code: 'EBADF', errno: -9, syscall: 'close' });
});

t.test('close in a worker thread: fs.closeSync would warn about an fd that Node did not open', async (t) => {
  const code = `import(workerData).then((sys) => {
    process.on('warning', (warning) => parentPort.postMessage(warning.message));
    sys.close(sys.openat(sys.AT_FDCWD, '/', sys.O_PATH));
    setImmediate(() => parentPort.postMessage('quiet'));
  })`;
  const header = "const { parentPort, workerData } = require('node:worker_threads');";
  const sysUrl = new URL('../../../lib/sys/index.js', import.meta.url).href;
  const worker = new Worker(header + code, { eval: true, workerData: sysUrl });
  t.equal(await new Promise((resolve) => worker.once('message', resolve)), 'quiet');
  await worker.terminate();
});

t.test('modes', async (t) => {
  const { root, path } = tree(t);
  const fd = sys.openat(root, name('file'), 0);
  t.teardown(() => sys.close(fd));
  sys.fchmod(fd, 0o4711);
  t.equal(fs.statSync(`${path}/file`).mode & 0o7777, 0o4711);
  sys.fchmodat(root, name('inside'), 0o604);
  t.equal(fs.statSync(`${path}/sub/inner`).mode & 0o7777, 0o604, 'follows a symlink');
  t.throws(() => sys.fchmod(-1, 0), { code: 'EBADF', errno: -9, syscall: 'fchmod' });
  const missing = { code: 'ENOENT', errno: -2, syscall: 'fchmodat', path: 'missing' };
  t.throws(() => sys.fchmodat(root, name('missing'), 0), missing);
});

t.test('owners', { skip: needsRoot }, async (t) => {
  const { root } = tree(t);
  const fd = sys.openat(root, name('file'), 0);
  const pathFd = sys.openat(root, name('inside'), O_PATH | sys.O_NOFOLLOW);
  t.teardown(() => [fd, pathFd].forEach(sys.close));
  const owner = (path: string): number[] => {
    const { uid, gid } = sys.statx(root, name(path), AT_SYMLINK_NOFOLLOW);
    return [uid, gid];
  };
  sys.fchown(fd, 4_294_967_294, 3_000_000);
  t.same(owner('file'), [4_294_967_294, 3_000_000], 'the whole range');
  sys.fchown(fd, 0xffffffff, 7);
  t.same(owner('file'), [4_294_967_294, 7], '2^32-1 leaves a side alone');
  sys.fchownat(root, name('up'), 5, 6, AT_SYMLINK_NOFOLLOW);
  t.same(owner('up'), [5, 6]);
  sys.fchownat(pathFd, name(''), 8, 9, AT_EMPTY_PATH);
  t.same(owner('inside'), [8, 9], 'a symlink by its O_PATH fd');
});

t.test('owners: failures', async (t) => {
  const { root } = tree(t);
  t.throws(() => sys.fchown(-1, 0, 0), { code: 'EBADF', errno: -9, syscall: 'fchown' });
  const missing = { code: 'ENOENT', errno: -2, syscall: 'fchownat', path: 'missing' };
  t.throws(() => sys.fchownat(root, name('missing'), 0, 0, 0), missing);
});
