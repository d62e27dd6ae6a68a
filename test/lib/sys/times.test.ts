import t from 'tap';
import { bytes } from '../../../lib/bytes.js';
import * as sys from '../../../lib/sys/index.js';
import { encodeTimes } from '../../../lib/sys/times.js';
import { testDirectory } from '../../support/privilege.js';

const name = bytes;

t.test('struct timespec, byte for byte', async (t) => {
  const cases = [
    { time: 0n, hex: '0000000000000000' + '0000000000000000' },
    { time: 1_000_000_002n, hex: '0100000000000000' + '0200000000000000' },
    { time: 1_700_000_000_123_456_789n, hex: '00f1536500000000' + '15cd5b0700000000' },
    { time: 2n ** 32n * 1_000_000_000n, hex: '0000000001000000' + '0000000000000000' },
    { time: -1n, hex: 'ffffffffffffffff' + 'ffc99a3b00000000', why: 'seconds are rounded down' },
    { time: -1_000_000_000n, hex: 'ffffffffffffffff' + '0000000000000000' },
    { time: -(2n ** 32n) * 1_000_000_000n - 1n, hex: 'fffffffffeffffff' + 'ffc99a3b00000000' },
  ];
  for (const { time, hex, why } of cases) {
    const want = hex + hex;
    t.equal(encodeTimes(time, time).toString('hex'), want, why ?? String(time));
  }
  const special = encodeTimes('now', 'omit');
  t.equal(special.toString('hex', 8, 16), 'ffffff3f00000000', 'UTIME_NOW');
  t.equal(special.toString('hex', 24, 32), 'feffff3f00000000', 'UTIME_OMIT');
});

t.test('to the nanosecond, of files and of symlinks themselves', async (t) => {
  const path = testDirectory(t, { file: '', link: t.fixture('symlink', 'file') });
  const file = name(`${path}/file`);
  const link = name(`${path}/link`);
  const read = (p: typeof file): bigint[] => {
    const { atime, mtime } = sys.statx(sys.AT_FDCWD, p, sys.AT_SYMLINK_NOFOLLOW);
    return [atime, mtime];
  };
  const fd = sys.openat(sys.AT_FDCWD, file, sys.O_WRONLY);
  t.teardown(() => sys.close(fd));
  sys.futimens(fd, 1n, 1_234_567_890_123_456_789n);
  t.same(read(file), [1n, 1_234_567_890_123_456_789n]);
  sys.utimensat(sys.AT_FDCWD, link, 2n, 3n, sys.AT_SYMLINK_NOFOLLOW);
  t.same(read(link), [2n, 3n]);
  sys.utimensat(sys.AT_FDCWD, link, 'omit', 4n);
  t.same(read(file), [1n, 4n], 'followed, and the access time left alone');
  const before = BigInt(Date.now() - 1000) * 1_000_000n;
  sys.futimens(fd, 'omit', 'now');
  t.ok((read(file)[1] ?? 0n) > before);
});

t.test('failures', async (t) => {
  const pathFd = sys.openat(sys.AT_FDCWD, name('/'), sys.O_PATH);
  t.throws(() => sys.futimens(pathFd, 0n, 0n), { code: 'EBADF', errno: -9, syscall: 'futimens' });
  sys.close(pathFd);
  const missing = { code: 'ENOENT', errno: -2, syscall: 'utimensat', path: '/missing' };
  t.throws(() => sys.utimensat(sys.AT_FDCWD, name('/missing'), 0n, 0n), missing);
});
