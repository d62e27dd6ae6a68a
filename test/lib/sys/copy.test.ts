import fs from 'node:fs';
import t, { type Test } from 'tap';
import { bytes } from '../../../lib/bytes.js';
import * as sys from '../../../lib/sys/index.js';
import { testDirectory } from '../../support/privilege.js';

const name = bytes;
const MiB = 1024 * 1024;

function files(t: Test, content = ''): { from: number; to: number; path: string } {
  const path = testDirectory(t, { from: content, to: '' });
  const from = sys.openat(sys.AT_FDCWD, name(`${path}/from`), sys.O_RDWR);
  const to = sys.openat(sys.AT_FDCWD, name(`${path}/to`), sys.O_RDWR);
  t.teardown(() => [from, to].forEach(sys.close));
  return { from, to, path };
}

t.test('copy_file_range copies between the offsets and leaves the positions', async (t) => {
  const { from, to, path } = files(t, '0123456789');
  t.equal(sys.copyFileRange(from, 2, to, 3, 5), 5);
  t.equal(fs.readFileSync(`${path}/to`, 'latin1'), '\0\0\x0023456');
  t.equal(sys.copyFileRange(from, 10, to, 0, 5), 0, 'the end of the input');
  t.equal(sys.lseek(from, 0, sys.SEEK_CUR), 0);
});

t.test('copy_file_range beyond 4 GiB', async (t) => {
  const { from, to } = files(t);
  const far = 4096 * MiB + 7;
  fs.writeSync(from, 'far away', far);
  t.equal(sys.copyFileRange(from, far, to, far + 1, 8), 8);
  const read = Buffer.alloc(8);
  fs.readSync(to, read, 0, 8, far + 1);
  t.equal(read.toString(), 'far away');
});

t.test('copy_file_range: failures', async (t) => {
  const { from } = files(t, 'x');
  t.equal(sys.tryCopyFileRange(from, 0, -1, 0, 1), -sys.errno.EBADF);
  const bad = { code: 'EBADF', errno: -9, syscall: 'copy_file_range', path: undefined };
  t.throws(() => sys.copyFileRange(from, 0, -1, 0, 1), bad);
});

t.test('FICLONE shares the blocks, or says that it cannot', async (t) => {
  const { from, to, path } = files(t, 'shared');
  const result = sys.tryFiclone(from, to);
  if (result === 0) {
    t.equal(fs.readFileSync(`${path}/to`, 'utf8'), 'shared');
    sys.ficlone(from, to);
  } else {
    t.ok([-sys.errno.EOPNOTSUPP, -sys.errno.EINVAL, -sys.errno.ENOTTY].includes(result), String(result));
    t.throws(() => sys.ficlone(from, to), { message: /^E/, errno: result, syscall: 'ioctl FICLONE' });
  }
  t.equal(sys.tryFiclone(from, -1), -sys.errno.EBADF);
});

t.test('data and holes', async (t) => {
  const { from } = files(t);
  t.equal(sys.nextData(from, 0), -1, 'an empty file');
  fs.ftruncateSync(from, 8 * MiB);
  fs.writeSync(from, 'x', 4 * MiB);
  t.equal(sys.nextData(from, 0), 4 * MiB);
  const hole = sys.nextHole(from, 4 * MiB);
  t.ok(hole > 4 * MiB && hole < 8 * MiB, String(hole));
  t.equal(sys.nextData(from, hole), -1, 'only a hole to the end');
  t.equal(sys.nextHole(from, 8 * MiB), -1, 'beyond the end');
  t.equal(sys.lseek(from, 1, sys.SEEK_SET), 1);
  t.throws(() => sys.lseek(from, -1, sys.SEEK_SET), { code: 'EINVAL', errno: -22, syscall: 'lseek' });
  t.throws(() => sys.nextData(-1, 0), { code: 'EBADF', errno: -9, syscall: 'lseek' });
});

t.test('fallocate punches holes', async (t) => {
  const { from, path } = files(t);
  fs.writeSync(from, Buffer.alloc(2 * MiB, 1));
  sys.fallocate(from, sys.FALLOC_FL_PUNCH_HOLE | sys.FALLOC_FL_KEEP_SIZE, 0, MiB);
  t.equal(sys.nextData(from, 0), MiB);
  t.equal(fs.statSync(`${path}/from`).size, 2 * MiB);
  t.throws(() => sys.fallocate(from, 0, -1, 1), { code: 'EINVAL', errno: -22, syscall: 'fallocate' });
});
