/** Making, removing and reading the names in a directory. None of these follows a symlink at the end of the path. */
import { bytesOf, type Bytes } from '../bytes.js';
import { SYS_renameat2 } from './constants.js';
import { first, second } from './cstring.js';
import { checked, errno, systemError } from './errno.js';
import { bind, bindSyscall } from './libc.js';

const native = {
  mkdirat: bind('int', 'mkdirat', 'int', 'void *', 'uint'),
  mknodat: bind('int', 'mknodat', 'int', 'void *', 'uint', 'uint64'),
  symlinkat: bind('int', 'symlinkat', 'void *', 'int', 'void *'),
  linkat: bind('int', 'linkat', 'int', 'void *', 'int', 'void *', 'int'),
  unlinkat: bind('int', 'unlinkat', 'int', 'void *', 'int'),
  renameat2: bindSyscall('int', 'void *', 'int', 'void *', 'uint'),
  readlinkat: bind('int64', 'readlinkat', 'int', 'void *', 'void *', 'uint64'),
};

/** Makes a directory of `mode`, less the umask and plus an inherited setgid bit. */
export function mkdirat(dirfd: number, path: Bytes, mode: number): void {
  checked(native.mkdirat(dirfd, first.of(path, 'mkdirat'), mode), 'mkdirat', path);
}

const largestMajor = 0xfff;
const largestMinor = 0xfffff;

/**
 * Makes the file, FIFO, socket or device that the S_IFMT bits of `mode` name. Devices but 0/0 need CAP_MKNOD.
 * @throws SystemError EINVAL where the device number is wider than the kernel's 12 and 20 bits
 */
export function mknodat(dirfd: number, path: Bytes, mode: number, major = 0, minor = 0): void {
  if (major > largestMajor || minor > largestMinor || major < 0 || minor < 0) {
    throw systemError(-errno.EINVAL, 'mknodat', path, `no device has the number ${major}/${minor}`);
  }
  const device = (minor & 0xff) + major * 0x100 + (minor >>> 8) * 0x100000;
  checked(native.mknodat(dirfd, first.of(path, 'mknodat'), mode, device), 'mknodat', path);
}

export function symlinkat(target: Bytes, dirfd: number, path: Bytes): void {
  const result = native.symlinkat(second.of(target, 'symlinkat'), dirfd, first.of(path, 'symlinkat'));
  checked(result, 'symlinkat', path);
}

/** One more name for a file; `flags` as for linkat(2): AT_SYMLINK_FOLLOW, AT_EMPTY_PATH. */
export function linkat(oldDirfd: number, oldPath: Bytes, newDirfd: number, newPath: Bytes, flags = 0): void {
  const from = first.of(oldPath, 'linkat');
  checked(native.linkat(oldDirfd, from, newDirfd, second.of(newPath, 'linkat'), flags), 'linkat', newPath);
}

/** Removes a name; a directory, which must be empty, with AT_REMOVEDIR. */
export function unlinkat(dirfd: number, path: Bytes, flags = 0): void {
  checked(tryUnlinkat(dirfd, path, flags), 'unlinkat', path);
}

/** 0, or a negative errno: ENOENT, ENOTEMPTY, EISDIR, EBUSY for a mount point, … */
export function tryUnlinkat(dirfd: number, path: Bytes, flags = 0): number {
  return native.unlinkat(dirfd, first.of(path, 'unlinkat'), flags);
}

/** Renames in one step; `flags` RENAME_NOREPLACE, RENAME_EXCHANGE or RENAME_WHITEOUT. */
export function renameat2(
  oldDirfd: number,
  oldPath: Bytes,
  newDirfd: number,
  newPath: Bytes,
  flags = 0,
): void {
  const from = first.of(oldPath, 'renameat2');
  const result = native.renameat2(
    SYS_renameat2,
    oldDirfd,
    from,
    newDirfd,
    second.of(newPath, 'renameat2'),
    flags,
  );
  checked(result, 'renameat2', oldPath);
}

/** Longer than any target: the kernel stores at most 4095 bytes. */
const target = Buffer.allocUnsafeSlow(4096);

/** The target of a symlink; with an empty path, of the symlink that `dirfd` was opened on (O_PATH, O_NOFOLLOW). */
export function readlinkat(dirfd: number, path: Bytes): Bytes {
  const result = native.readlinkat(dirfd, first.of(path, 'readlinkat'), target, target.length);
  return bytesOf(target, 0, checked(result, 'readlinkat', path));
}
