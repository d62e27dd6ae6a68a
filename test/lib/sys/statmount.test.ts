import t from 'tap';
import { bytes } from '../../../lib/bytes.js';
import * as sys from '../../../lib/sys/index.js';
import { decodeStatmount } from '../../../lib/sys/statmount.js';
import { codeOf } from '../../../lib/errors.js';
import { needsMountNamespace, testDirectory } from '../../support/privilege.js';

const name = bytes;

t.test('struct statmount, byte for byte', async (t) => {
  const buffer = Buffer.alloc(560);
  buffer.writeBigUInt64LE(0x7bn, 8); // mask: everything we ask for
  buffer.writeUInt32LE(8, 16); // sb_dev_major
  buffer.writeUInt32LE(1, 20); // sb_dev_minor
  buffer.writeUInt32LE(0, 36); // fs_type, an offset into the strings
  buffer.writeBigUInt64LE(0x8000_0001n, 40); // mnt_id
  buffer.writeBigUInt64LE(0x8000_0000n, 48); // mnt_parent_id
  buffer.writeUInt32LE(5, 104); // mnt_root
  buffer.writeUInt32LE(7, 108); // mnt_point
  buffer.writeBigUInt64LE(4096n, 112); // mnt_ns_id
  buffer.write('ext4\0/\0/mnt/\xff\0', 512, 'latin1');
  const want = {
    mountId: 0x8000_0001n,
    parentId: 0x8000_0000n,
    devMajor: 8,
    devMinor: 1,
    namespaceId: 4096n,
    fsType: 'ext4',
    root: '/',
    mountPoint: '/mnt/\xff',
  };
  t.same(decodeStatmount(buffer), want);
  buffer.writeBigUInt64LE(0x3bn, 8); // as before Linux 6.11
  t.same(decodeStatmount(buffer), { ...want, namespaceId: undefined });
});

function skipReason(): string | false {
  try {
    sys.listmount();
    return needsMountNamespace();
  } catch (error) {
    if (codeOf(error) === 'ENOSYS') return 'needs Linux 6.8 for listmount(2)';
    throw error;
  }
}

t.test('a mount by its unique id, until it is unmounted', { skip: skipReason() }, async (t) => {
  const target = testDirectory(t);
  sys.mount(name('none'), target, name('tmpfs'), 0);
  const fd = sys.openat(sys.AT_FDCWD, target, sys.O_PATH);
  t.teardown(() => sys.close(fd));
  const { mountId, mask, devMajor, devMinor } = sys.statx(fd, name(''), sys.AT_EMPTY_PATH);
  t.ok(mask & sys.STATX_MNT_ID_UNIQUE);
  const namespaceId = sys.mountNamespaceId();
  const want = { mountId, devMajor, devMinor, fsType: 'tmpfs', root: '/', mountPoint: target };
  t.match(sys.statmount(mountId), { ...want, namespaceId });
  t.ok(sys.listmount().includes(mountId));
  if (namespaceId !== undefined) {
    t.match(sys.statmount(mountId, namespaceId), want);
    t.ok(sys.listmount(sys.LSMT_ROOT, namespaceId).includes(mountId));
  }
  sys.umount2(target, sys.MNT_DETACH);
  t.equal(sys.statmount(mountId), undefined, 'also while an fd keeps it alive');
  t.notOk(sys.listmount().includes(mountId));
});

t.test('more mounts than one call of listmount answers with', { skip: skipReason() }, async (t) => {
  const target = testDirectory(t);
  sys.mount(name('none'), target, name('tmpfs'), 0);
  const { mountId } = sys.statx(sys.AT_FDCWD, target, 0);
  const count = 600;
  for (let i = 0; i < count; i++) {
    const directory = name(`${target}/${i}`);
    sys.mkdirat(sys.AT_FDCWD, directory, 0o700);
    sys.mount(directory, directory, null, sys.MS_BIND);
  }
  const listed = sys.listmount(mountId);
  sys.umount2(target, sys.MNT_DETACH);
  t.equal(new Set(listed).size, count);
  t.equal(listed.length, count);
});

t.test('failures', { skip: skipReason() }, async (t) => {
  t.throws(() => sys.listmount(2n ** 62n), { code: 'ENOENT', errno: -2, syscall: 'listmount' });
  t.throws(
    () => sys.statmount(1n),
    { code: 'EINVAL', errno: -22, syscall: 'statmount' },
    'a mountinfo id is no unique id',
  );
});
