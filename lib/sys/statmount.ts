/** statmount(2) and listmount(2), Linux 6.8: mounts by ids that are never used again before the next boot. */
import { bytesOf, type Bytes } from '../bytes.js';
import { AT_FDCWD, NS_GET_MNTNS_ID, O_RDONLY, SYS_listmount, SYS_statmount } from './constants.js';
import { checked, errno } from './errno.js';
import { close, openat } from './file.js';
import { bind, bindSyscall } from './libc.js';

const native = {
  statmount: bindSyscall('void *', 'void *', 'uint64', 'uint'),
  listmount: bindSyscall('void *', 'void *', 'uint64', 'uint'),
  ioctl: bind('int', 'ioctl', 'int', 'uint64', 'void *'),
};

const STATMOUNT_SB_BASIC = 0x01;
const STATMOUNT_MNT_BASIC = 0x02;
const STATMOUNT_MNT_ROOT = 0x08;
const STATMOUNT_MNT_POINT = 0x10;
const STATMOUNT_FS_TYPE = 0x20;
const STATMOUNT_MNT_NS_ID = 0x40;

/** Everything beneath the root of the mount namespace, for `listmount`. */
export const LSMT_ROOT = 0xffff_ffff_ffff_ffffn;

export interface MountStatus {
  readonly mountId: bigint;
  readonly parentId: bigint;
  /** Major and minor number of the superblock, as in mountinfo. */
  readonly devMajor: number;
  readonly devMinor: number;
  /** The mount namespace it is in; undefined before Linux 6.11. */
  readonly namespaceId: bigint | undefined;
  /** `overlay`. */
  readonly fsType: Bytes;
  /** The directory of the file system that is mounted. */
  readonly root: Bytes;
  /** Relative to the caller's root directory. */
  readonly mountPoint: Bytes;
}

/** `struct mnt_id_req`; kernels before 6.11 know only the first 24 bytes. */
const request = Buffer.alloc(32);

function encodeRequest(mountId: bigint, parameter: bigint, namespaceId: bigint | undefined): Buffer {
  request.writeUInt32LE(namespaceId === undefined ? 24 : 32, 0);
  request.writeBigUInt64LE(mountId, 8);
  request.writeBigUInt64LE(parameter, 16);
  request.writeBigUInt64LE(namespaceId ?? 0n, 24);
  return request;
}

/** `struct statmount` with its strings: three paths of at most a page. */
const status = Buffer.allocUnsafeSlow(16384);
const stringsOffset = 512;

/** Decodes `struct statmount`. */
export function decodeStatmount(buffer: Buffer): MountStatus {
  const mask = buffer.readUInt32LE(8);
  const string = (offset: number): Bytes => {
    const start = stringsOffset + buffer.readUInt32LE(offset);
    return bytesOf(buffer, start, buffer.indexOf(0, start));
  };
  return {
    mountId: buffer.readBigUInt64LE(40),
    parentId: buffer.readBigUInt64LE(48),
    devMajor: buffer.readUInt32LE(16),
    devMinor: buffer.readUInt32LE(20),
    namespaceId: (mask & STATMOUNT_MNT_NS_ID) === 0 ? undefined : buffer.readBigUInt64LE(112),
    fsType: string(36),
    root: string(104),
    mountPoint: string(108),
  };
}

/**
 * The mount of this unique id, in the caller's mount namespace or in `namespaceId` (CAP_SYS_ADMIN over it);
 * undefined where there is no such mount there, as after an unmount, also a lazy one, or no such namespace.
 * @throws SystemError ENOSYS before Linux 6.8
 */
export function statmount(mountId: bigint, namespaceId?: bigint): MountStatus | undefined {
  const wanted =
    STATMOUNT_SB_BASIC |
    STATMOUNT_MNT_BASIC |
    STATMOUNT_MNT_ROOT |
    STATMOUNT_MNT_POINT |
    STATMOUNT_FS_TYPE |
    STATMOUNT_MNT_NS_ID;
  const query = encodeRequest(mountId, BigInt(wanted), namespaceId);
  const result = native.statmount(SYS_statmount, query, status, status.length, 0);
  if (result === -errno.ENOENT) return undefined;
  checked(result, 'statmount');
  return decodeStatmount(status);
}

/** The unique ids of all mounts beneath `mountId`, itself not among them. */
export function listmount(mountId: bigint = LSMT_ROOT, namespaceId?: bigint): bigint[] {
  const page = Buffer.allocUnsafe(512 * 8);
  const ids: bigint[] = [];
  let last = 0n;
  for (;;) {
    const query = encodeRequest(mountId, last, namespaceId);
    const count = checked(native.listmount(SYS_listmount, query, page, page.length / 8, 0), 'listmount');
    for (let i = 0; i < count; i++) ids.push((last = page.readBigUInt64LE(i * 8)));
    if (count < page.length / 8) return ids;
  }
}

/** The id of the calling thread's mount namespace; undefined before Linux 6.11. */
export function mountNamespaceId(): bigint | undefined {
  const fd = openat(AT_FDCWD, '/proc/thread-self/ns/mnt' as Bytes, O_RDONLY);
  try {
    const id = Buffer.alloc(8);
    const result = native.ioctl(fd, NS_GET_MNTNS_ID, id);
    if (result === -errno.ENOTTY) return undefined;
    checked(result, 'ioctl NS_GET_MNTNS_ID');
    return id.readBigUInt64LE();
  } finally {
    close(fd);
  }
}
