/** Copying and laying out file contents without moving bytes through this process. */
import { FICLONE, SEEK_DATA, SEEK_HOLE, SYS_copy_file_range } from './constants.js';
import { checked, errno } from './errno.js';
import { bind, bindSyscall } from './libc.js';

const native = {
  ioctl: bind('int', 'ioctl', 'int', 'uint64', 'int64'),
  copyFileRange: bindSyscall('int', 'void *', 'int', 'void *', 'uint64', 'uint'),
  fallocate: bind('int', 'fallocate', 'int', 'int', 'int64', 'int64'),
  lseek: bind('int64', 'lseek', 'int', 'int64', 'int'),
};

/** Makes `destinationFd` share all blocks of `sourceFd` (reflink). */
export function ficlone(sourceFd: number, destinationFd: number): void {
  checked(tryFiclone(sourceFd, destinationFd), 'ioctl FICLONE');
}

/** 0, or a negative errno: EOPNOTSUPP or EINVAL where the file system has no reflinks, EXDEV across file systems. */
export function tryFiclone(sourceFd: number, destinationFd: number): number {
  return native.ioctl(destinationFd, FICLONE, sourceFd);
}

/** Copies at most `length` bytes between the offsets; returns how many were copied, 0 at the end of the input. */
export function copyFileRange(
  inFd: number,
  inOffset: number,
  outFd: number,
  outOffset: number,
  length: number,
): number {
  return checked(tryCopyFileRange(inFd, inOffset, outFd, outOffset, length), 'copy_file_range');
}

const inPosition = Buffer.allocUnsafeSlow(8);
const outPosition = Buffer.allocUnsafeSlow(8);

function writePosition(position: Buffer, offset: number): Buffer {
  position.writeUInt32LE(offset % 0x1_0000_0000, 0);
  position.writeUInt32LE(Math.floor(offset / 0x1_0000_0000), 4);
  return position;
}

/** The same, or a negative errno: EXDEV, EOPNOTSUPP and EINVAL mean "copy by read and write", ENOSPC does not. */
export function tryCopyFileRange(
  inFd: number,
  inOffset: number,
  outFd: number,
  outOffset: number,
  length: number,
): number {
  const input = writePosition(inPosition, inOffset);
  const output = writePosition(outPosition, outOffset);
  return native.copyFileRange(SYS_copy_file_range, inFd, input, outFd, output, length, 0);
}

/** Reserves, punches or zeroes a range of bytes; `mode` is FALLOC_FL_* or 0. */
export function fallocate(fd: number, mode: number, offset: number, length: number): void {
  checked(native.fallocate(fd, mode, offset, length), 'fallocate');
}

export function lseek(fd: number, offset: number, whence: number): number {
  return checked(native.lseek(fd, offset, whence), 'lseek');
}

/** Where the next data at or after `offset` begins; -1 where there is none to the end of the file. */
export function nextData(fd: number, offset: number): number {
  return seekOr(fd, offset, SEEK_DATA);
}

/** Where the next hole at or after `offset` begins, the end of the file at the latest; -1 for an offset beyond it. */
export function nextHole(fd: number, offset: number): number {
  return seekOr(fd, offset, SEEK_HOLE);
}

function seekOr(fd: number, offset: number, whence: number): number {
  const result = native.lseek(fd, offset, whence);
  return result === -errno.ENXIO ? -1 : checked(result, 'lseek');
}
