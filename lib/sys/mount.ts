/** Mounting: mount(2) and umount(2), and the calls that move, copy and change mounts by fd. */
import type { Bytes } from '../bytes.js';
import { OPEN_TREE_CLOEXEC, SYS_mount_setattr, SYS_move_mount, SYS_open_tree } from './constants.js';
import { CStringArgument, first, second } from './cstring.js';
import { checked, errno, systemError } from './errno.js';
import { bind, bindSyscall } from './libc.js';

const native = {
  mount: bind('int', 'mount', 'void *', 'void *', 'void *', 'uint64', 'void *'),
  umount2: bind('int', 'umount2', 'void *', 'int'),
  openTree: bindSyscall('int', 'void *', 'uint'),
  moveMount: bindSyscall('int', 'void *', 'int', 'void *', 'uint'),
  mountSetattr: bindSyscall('int', 'void *', 'uint', 'void *', 'uint64'),
};

const typeArgument = new CStringArgument();
const dataArgument = new CStringArgument();

/** The kernel copies one page and cuts the rest off without a word: layers would be missing. */
const longestData = 4095;

/**
 * mount(2); null where the operation has no such argument.
 * @throws SystemError ENAMETOOLONG for more than 4095 bytes of data
 */
export function mount(
  source: Bytes | null,
  target: Bytes,
  type: Bytes | null,
  flags: number,
  data: Bytes | null = null,
): void {
  if (data !== null && data.length > longestData) {
    throw systemError(-errno.ENAMETOOLONG, 'mount', target, `${data.length} bytes of options`);
  }
  const result = native.mount(
    source === null ? null : first.of(source, 'mount'),
    second.of(target, 'mount'),
    type === null ? null : typeArgument.of(type, 'mount'),
    flags,
    data === null ? null : dataArgument.of(data, 'mount'),
  );
  checked(result, 'mount', target);
}

/** Unmounts what is on top at `target`; `flags` MNT_* and UMOUNT_NOFOLLOW. */
export function umount2(target: Bytes, flags = 0): void {
  checked(native.umount2(first.of(target, 'umount2'), flags), 'umount2', target);
}

/** An fd of the mount at `path`, or with OPEN_TREE_CLONE of a detached copy of it, which vanishes with the fd. */
export function openTree(dirfd: number, path: Bytes, flags: number): number {
  const name = first.of(path, 'open_tree');
  const result = native.openTree(SYS_open_tree, dirfd, name, (flags | OPEN_TREE_CLOEXEC) >>> 0);
  return checked(result, 'open_tree', path);
}

/** Attaches a detached mount, or moves an attached one; `flags` MOVE_MOUNT_*. */
export function moveMount(fromFd: number, fromPath: Bytes, toFd: number, toPath: Bytes, flags: number): void {
  const from = first.of(fromPath, 'move_mount');
  const to = second.of(toPath, 'move_mount');
  checked(native.moveMount(SYS_move_mount, fromFd, from, toFd, to, flags), 'move_mount', toPath);
}

export interface MountAttributes {
  /** MOUNT_ATTR_* to set. */
  readonly attrSet?: number;
  /** MOUNT_ATTR_* to clear. */
  readonly attrClr?: number;
  /** MS_PRIVATE, MS_SHARED, MS_SLAVE or MS_UNBINDABLE. */
  readonly propagation?: number;
  /** The user namespace of MOUNT_ATTR_IDMAP. */
  readonly usernsFd?: number;
}

/** `struct mount_attr`: four 64-bit fields. */
const mountAttr = Buffer.alloc(32);

/** Changes a mount, with AT_RECURSIVE all mounts below it too: all of them or none. */
export function mountSetattr(dirfd: number, path: Bytes, flags: number, attributes: MountAttributes): void {
  mountAttr.writeUInt32LE(attributes.attrSet ?? 0, 0);
  mountAttr.writeUInt32LE(attributes.attrClr ?? 0, 8);
  mountAttr.writeUInt32LE(attributes.propagation ?? 0, 16);
  mountAttr.writeUInt32LE(attributes.usernsFd ?? 0, 24);
  const name = first.of(path, 'mount_setattr');
  const result = native.mountSetattr(SYS_mount_setattr, dirfd, name, flags, mountAttr, mountAttr.length);
  checked(result, 'mount_setattr', path);
}
