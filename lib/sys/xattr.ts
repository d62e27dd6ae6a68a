/**
 * Extended attributes, of an open file (f…) or by path without following a symlink at its end (l…).
 * O_PATH fds have none of the former (EBADF): name the file beneath its directory, `${procPath(directoryFd)}/name`.
 */
import { bytes, bytesOf, type Bytes } from '../bytes.js';
import { first, second } from './cstring.js';
import { checked, errno } from './errno.js';
import { bind } from './libc.js';

const native = {
  fsetxattr: bind('int', 'fsetxattr', 'int', 'void *', 'void *', 'uint64', 'int'),
  fgetxattr: bind('int64', 'fgetxattr', 'int', 'void *', 'void *', 'uint64'),
  flistxattr: bind('int64', 'flistxattr', 'int', 'void *', 'uint64'),
  fremovexattr: bind('int', 'fremovexattr', 'int', 'void *'),
  lsetxattr: bind('int', 'lsetxattr', 'void *', 'void *', 'void *', 'uint64', 'int'),
  lgetxattr: bind('int64', 'lgetxattr', 'void *', 'void *', 'void *', 'uint64'),
  llistxattr: bind('int64', 'llistxattr', 'void *', 'void *', 'uint64'),
  lremovexattr: bind('int', 'lremovexattr', 'void *', 'void *'),
};

/** XATTR_SIZE_MAX and XATTR_LIST_MAX are both 64 KiB. */
const largest = 65536;
let scratch: Buffer | undefined;
const buffer = (): Buffer => (scratch ??= Buffer.allocUnsafeSlow(largest));

/** ENODATA is an answer, not a failure. */
function value(length: number, syscall: string, path?: Bytes): Buffer | undefined {
  if (length === -errno.ENODATA) return undefined;
  return Buffer.from(buffer().subarray(0, checked(length, syscall, path)));
}

function names(length: number, syscall: string, path?: Bytes): Bytes[] {
  if (checked(length, syscall, path) === 0) return [];
  return bytesOf(buffer(), 0, length - 1).split('\0') as Bytes[];
}

/**
 * A path that leads to the open file, whatever became of its name; `/name` can follow that of a directory.
 * Calls that do not follow symlinks take it, alone, for the link in /proc.
 */
export function procPath(fd: number): Bytes {
  return bytes(`/proc/self/fd/${fd}`);
}

/** `flags` XATTR_CREATE (EEXIST) or XATTR_REPLACE (ENODATA). */
export function fsetxattr(fd: number, name: Bytes, value: Buffer, flags = 0): void {
  const result = native.fsetxattr(fd, second.of(name, 'fsetxattr'), value, value.length, flags);
  checked(result, 'fsetxattr', name);
}

/** The value, or undefined where the file has no attribute of that name. */
export function fgetxattr(fd: number, name: Bytes): Buffer | undefined {
  const length = native.fgetxattr(fd, second.of(name, 'fgetxattr'), buffer(), largest);
  return value(length, 'fgetxattr', name);
}

export function flistxattr(fd: number): Bytes[] {
  return names(native.flistxattr(fd, buffer(), largest), 'flistxattr');
}

export function fremovexattr(fd: number, name: Bytes): void {
  checked(native.fremovexattr(fd, second.of(name, 'fremovexattr')), 'fremovexattr', name);
}

export function lsetxattr(path: Bytes, name: Bytes, value: Buffer, flags = 0): void {
  const file = first.of(path, 'lsetxattr');
  const result = native.lsetxattr(file, second.of(name, 'lsetxattr'), value, value.length, flags);
  checked(result, 'lsetxattr', path);
}

/** The value, or undefined where the file has no attribute of that name. */
export function lgetxattr(path: Bytes, name: Bytes): Buffer | undefined {
  const file = first.of(path, 'lgetxattr');
  const length = native.lgetxattr(file, second.of(name, 'lgetxattr'), buffer(), largest);
  return value(length, 'lgetxattr', path);
}

export function llistxattr(path: Bytes): Bytes[] {
  return names(native.llistxattr(first.of(path, 'llistxattr'), buffer(), largest), 'llistxattr', path);
}

export function lremovexattr(path: Bytes, name: Bytes): void {
  const file = first.of(path, 'lremovexattr');
  checked(native.lremovexattr(file, second.of(name, 'lremovexattr')), 'lremovexattr', path);
}
