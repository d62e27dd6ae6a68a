/**
 * File-system contexts (fsopen(2)): a mount is put together one parameter at a time, so neither its length nor
 * the number of layers has a limit, and the kernel says in words what it does not like.
 */
import { bytesOf, display, type Bytes } from '../bytes.js';
import {
  FSCONFIG_CMD_CREATE,
  FSCONFIG_CMD_RECONFIGURE,
  FSCONFIG_SET_FD,
  FSCONFIG_SET_FLAG,
  FSCONFIG_SET_STRING,
  FSMOUNT_CLOEXEC,
  FSOPEN_CLOEXEC,
  FSPICK_CLOEXEC,
  SYS_fsconfig,
  SYS_fsmount,
  SYS_fsopen,
  SYS_fspick,
} from './constants.js';
import { first, second } from './cstring.js';
import { checked, errno, systemError } from './errno.js';
import { bind, bindSyscall } from './libc.js';

const native = {
  fsopen: bindSyscall('void *', 'uint'),
  fspick: bindSyscall('int', 'void *', 'uint'),
  fsconfig: bindSyscall('int', 'uint', 'void *', 'void *', 'int'),
  fsmount: bindSyscall('int', 'uint', 'uint'),
  read: bind('int64', 'read', 'int', 'void *', 'uint64'),
};

/** A context for a new file system. @throws SystemError ENODEV where the kernel has no such type */
export function fsopen(type: Bytes): number {
  return checked(native.fsopen(SYS_fsopen, first.of(type, 'fsopen'), FSOPEN_CLOEXEC), 'fsopen', type);
}

/** A context for changing the file system mounted at `path`; `flags` FSPICK_*. */
export function fspick(dirfd: number, path: Bytes, flags = 0): number {
  const result = native.fspick(SYS_fspick, dirfd, first.of(path, 'fspick'), flags | FSPICK_CLOEXEC);
  return checked(result, 'fspick', path);
}

function fsconfig(
  fsFd: number,
  command: number,
  key: Bytes | null,
  value: Bytes | null,
  aux: number,
): number {
  return native.fsconfig(
    SYS_fsconfig,
    fsFd,
    command,
    key === null ? null : first.of(key, 'fsconfig'),
    value === null ? null : second.of(value, 'fsconfig'),
    aux,
  );
}

/** The kernel's own words go with its number. */
function explained(result: number, fsFd: number, syscall: string, key?: Bytes): number {
  if (result >= 0) return result;
  const log = readFsContextLog(fsFd).join('; ');
  throw systemError(result, syscall, key, log === '' ? undefined : log);
}

/** Sets a parameter that has no value, such as `ro`. */
export function fsconfigFlag(fsFd: number, key: Bytes): void {
  explained(fsconfig(fsFd, FSCONFIG_SET_FLAG, key, null, 0), fsFd, 'fsconfig', key);
}

/** Sets a parameter to a string of at most 255 bytes. */
export function fsconfigString(fsFd: number, key: Bytes, value: Bytes): void {
  explained(fsconfig(fsFd, FSCONFIG_SET_STRING, key, value, 0), fsFd, 'fsconfig', key);
}

/** Sets a parameter to an open file or directory. */
export function fsconfigFd(fsFd: number, key: Bytes, fd: number): void {
  explained(fsconfig(fsFd, FSCONFIG_SET_FD, key, null, fd), fsFd, 'fsconfig', key);
}

/** Makes the superblock. */
export function fsconfigCreate(fsFd: number): void {
  explained(tryFsconfigCreate(fsFd), fsFd, 'fsconfig FSCONFIG_CMD_CREATE');
}

/** 0, or a negative errno; the words stay in the context's log. */
export function tryFsconfigCreate(fsFd: number): number {
  return fsconfig(fsFd, FSCONFIG_CMD_CREATE, null, null, 0);
}

/** Applies the parameters to the file system that `fspick` picked. */
export function fsconfigReconfigure(fsFd: number): void {
  const result = fsconfig(fsFd, FSCONFIG_CMD_RECONFIGURE, null, null, 0);
  explained(result, fsFd, 'fsconfig FSCONFIG_CMD_RECONFIGURE');
}

/** A detached mount of the superblock; `attributes` MOUNT_ATTR_*. It vanishes with the fd unless it is attached. */
export function fsmount(fsFd: number, attributes = 0): number {
  return explained(native.fsmount(SYS_fsmount, fsFd, FSMOUNT_CLOEXEC, attributes), fsFd, 'fsmount');
}

const message = Buffer.allocUnsafeSlow(8192);

/** What the kernel has said about the context (`e overlay: …`) and nobody has read yet. */
export function readFsContextLog(fsFd: number): string[] {
  const lines: string[] = [];
  for (;;) {
    const length = native.read(fsFd, message, message.length);
    if (length === -errno.ENODATA) return lines;
    checked(length, 'read');
    lines.push(display(bytesOf(message, 0, length).replace(/\n$/, '') as Bytes));
  }
}
