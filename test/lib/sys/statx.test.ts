import fs from 'node:fs';
import t from 'tap';
import { bytes } from '../../../lib/bytes.js';
import * as sys from '../../../lib/sys/index.js';
import { testDirectory } from '../../support/privilege.js';

const name = bytes;

t.test('agrees with Node on everything Node has', async (t) => {
  const path = testDirectory(t, { file: 'content', link: t.fixture('symlink', 'file') });
  const root = sys.openat(sys.AT_FDCWD, path, sys.O_DIRECTORY);
  t.teardown(() => sys.close(root));
  for (const file of ['file', 'link', '']) {
    const flags = file === '' ? sys.AT_EMPTY_PATH : sys.AT_SYMLINK_NOFOLLOW;
    const statx = sys.statx(root, name(file), flags);
    const node = fs.lstatSync(`${path}/${file}`, { bigint: true });
    const device = BigInt((statx.devMajor << 8) | statx.devMinor);
    t.match(
      {
        mode: BigInt(statx.mode),
        nlink: BigInt(statx.nlink),
        uid: BigInt(statx.uid),
        gid: BigInt(statx.gid),
        size: BigInt(statx.size),
        blocks: BigInt(statx.blocks),
        ino: statx.ino,
        mtimeNs: statx.mtime,
        ctimeNs: statx.ctime,
        atimeNs: statx.atime,
        dev: device,
      },
      {
        mode: node.mode,
        nlink: node.nlink,
        uid: node.uid,
        gid: node.gid,
        size: node.size,
        blocks: node.blocks,
        ino: node.ino,
        mtimeNs: node.mtimeNs,
        ctimeNs: node.ctimeNs,
        atimeNs: node.atimeNs,
        dev: node.dev,
      },
      `'${file}'`,
    );
    if ((statx.mask & sys.STATX_BTIME) !== 0) t.equal(statx.btime, node.birthtimeNs);
  }
});

t.test('sizes above 4 GiB and times before 1970 and after 2038', async (t) => {
  const path = testDirectory(t, { file: '' });
  const size = 5 * 2 ** 32 + 123;
  fs.truncateSync(`${path}/file`, size);
  for (const mtime of [-1n, -1_500_000_000n, 0n, 2n ** 32n * 1_000_000_000n + 5n]) {
    sys.utimensat(sys.AT_FDCWD, name(`${path}/file`), 'omit', mtime);
    const statx = sys.statx(sys.AT_FDCWD, name(`${path}/file`), 0);
    t.equal(statx.mtime, mtime);
    t.equal(BigInt(statx.mtimeSec) * 1_000_000_000n + BigInt(statx.mtimeNsec), mtime);
    t.equal(statx.size, size);
  }
});

t.test('mount roots and mount ids', async (t) => {
  const proc = sys.statx(sys.AT_FDCWD, name('/proc'), 0);
  const below = sys.statx(sys.AT_FDCWD, name('/proc/self'), 0);
  t.ok(proc.isMountRoot);
  t.notOk(below.isMountRoot);
  t.ok(proc.attributes & sys.STATX_ATTR_MOUNT_ROOT);
  t.equal(proc.mountId, below.mountId);
  t.not(proc.mountId, sys.statx(sys.AT_FDCWD, name('/'), 0).mountId);
});

t.test('failures', async (t) => {
  t.equal(sys.tryStatx(sys.AT_FDCWD, name('/missing'), 0), -sys.errno.ENOENT);
  const missing = { code: 'ENOENT', errno: -2, syscall: 'statx', path: '/missing' };
  t.throws(() => sys.statx(sys.AT_FDCWD, name('/missing'), 0), missing);
});
