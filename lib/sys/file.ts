/** Opening files beneath a directory, and setting their owner and mode. */
import type { Bytes } from '../bytes.js';
import { O_CLOEXEC, RESOLVE_BENEATH, RESOLVE_CACHED, RESOLVE_IN_ROOT, SYS_openat2 } from './constants.js';
import { first } from './cstring.js';
import { checked, errno } from './errno.js';
import { bind, bindOnce, bindSyscall } from './libc.js';

/** The kernel's `struct open_how`. */
export interface OpenHow {
  /** O_*; O_CLOEXEC is always added. */
  readonly flags: number;
  /** Permission bits of a file that O_CREAT makes; 0 otherwise, or the kernel says EINVAL. */
  readonly mode?: number;
  /** RESOLVE_*. */
  readonly resolve?: number;
}

const native = {
  openat: bind('int', 'openat', 'int', 'void *', 'int', 'uint'),
  openat2: bindSyscall('int', 'void *', 'void *', 'uint64'),
  close: bindOnce('int', 'close', 'int'),
  fchown: bind('int', 'fchown', 'int', 'uint', 'uint'),
  fchownat: bind('int', 'fchownat', 'int', 'void *', 'uint', 'uint', 'int'),
  fchmod: bind('int', 'fchmod', 'int', 'uint'),
  fchmodat: bind('int', 'fchmodat', 'int', 'void *', 'uint', 'int'),
};

const openHow = Buffer.alloc(24);

/** Opens `path` relative to `dirfd`; O_CLOEXEC is always added. Close the fd with `close` of this module. */
export function openat(dirfd: number, path: Bytes, flags: number, mode = 0): number {
  const result = native.openat(dirfd, first.of(path, 'openat'), flags | O_CLOEXEC, mode);
  return checked(result, 'openat', path);
}

/** Opens `path` as `how.resolve` confines it: check and use in one call. @throws SystemError as tryOpenat2 returns */
export function openat2(dirfd: number, path: Bytes, how: OpenHow): number {
  return checked(tryOpenat2(dirfd, path, how), 'openat2', path);
}

/** Renames going on elsewhere make the kernel give up on `..` with EAGAIN; so many in a row are no accident. */
const attempts = 128;

/**
 * An fd, or a negative errno: EXDEV for a path that leaves a RESOLVE_BENEATH root, ELOOP for a forbidden link,
 * ENOSYS before Linux 5.6, EAGAIN when renames all over the path never stop.
 */
export function tryOpenat2(dirfd: number, path: Bytes, how: OpenHow): number {
  const resolve = how.resolve ?? 0;
  openHow.writeUInt32LE(how.flags | O_CLOEXEC, 0);
  openHow.writeUInt32LE(how.mode ?? 0, 8);
  openHow.writeUInt32LE(resolve, 16);
  const scoped = (resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0 && (resolve & RESOLVE_CACHED) === 0;
  const name = first.of(path, 'openat2');
  let result = native.openat2(SYS_openat2, dirfd, name, openHow, openHow.length);
  for (let i = 1; scoped && result === -errno.EAGAIN && i < attempts; i++) {
    result = native.openat2(SYS_openat2, dirfd, name, openHow, openHow.length);
  }
  return result;
}

/**
 * Closes an fd that a function of lib/sys returned. Node's `closeSync` warns about such fds in a worker thread,
 * and fds that Node opened must go back to Node: a worker closes them a second time when it ends.
 */
export function close(fd: number): void {
  const result = native.close(fd);
  // After EINTR the fd is closed all the same; closing it again could hit another file.
  if (result !== -errno.EINTR) checked(result, 'close');
}

/** Sets the owner; 2^32-1 leaves a side as it is. Clears setuid, setgid and file capabilities of a file. */
export function fchown(fd: number, uid: number, gid: number): void {
  checked(native.fchown(fd, uid, gid), 'fchown');
}

/** `flags`: AT_SYMLINK_NOFOLLOW, or AT_EMPTY_PATH with an empty path for the (O_PATH) fd `dirfd` itself. */
export function fchownat(dirfd: number, path: Bytes, uid: number, gid: number, flags: number): void {
  checked(native.fchownat(dirfd, first.of(path, 'fchownat'), uid, gid, flags), 'fchownat', path);
}

/** Sets the mode, 0 to 0o7777, whatever the umask. */
export function fchmod(fd: number, mode: number): void {
  checked(native.fchmod(fd, mode), 'fchmod');
}

/** Sets the mode of what `path` names; a symlink at its end is followed. */
export function fchmodat(dirfd: number, path: Bytes, mode: number): void {
  checked(native.fchmodat(dirfd, first.of(path, 'fchmodat'), mode, 0), 'fchmodat', path);
}
