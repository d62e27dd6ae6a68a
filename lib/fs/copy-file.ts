/** Copies of file contents: shared blocks where the file system can, else inside the kernel, else by hand. Holes stay. */
import { ftruncateSync, readSync, writeSync } from 'node:fs';
import { errno, nextData, nextHole, systemError, tryCopyFileRange, tryFiclone } from '../sys/index.js';

/** These mean "not here", not "not at all". */
const notHere = new Set([
  errno.EXDEV,
  errno.EOPNOTSUPP,
  errno.EINVAL,
  errno.ENOSYS,
  errno.ENOTTY,
  errno.EPERM,
]);

/**
 * Makes `target`, an empty file open for writing, a copy of the first `size` bytes of `source`.
 * @returns how: `reflink` shares the blocks
 */
export function copyFileContents(source: number, target: number, size: number): 'reflink' | 'copy' {
  if (size === 0) return 'copy';
  const cloned = tryFiclone(source, target);
  if (cloned === 0) return 'reflink';
  if (!notHere.has(-cloned)) throw systemError(cloned, 'ioctl FICLONE');
  let end = 0;
  for (let start = nextData(source, 0); start >= 0 && start < size; start = nextData(source, end)) {
    end = Math.min(size, nextHole(source, start));
    copyRange(source, target, start, end);
  }
  if (end < size) ftruncateSync(target, size);
  return 'copy';
}

function copyRange(source: number, target: number, start: number, end: number): void {
  let at = start;
  while (at < end) {
    const copied = tryCopyFileRange(source, at, target, at, end - at);
    if (copied === 0) return;
    if (copied < 0) {
      if (!notHere.has(-copied)) throw systemError(copied, 'copy_file_range');
      at = copyByHand(source, target, at, end);
    } else {
      at += copied;
    }
  }
}

function copyByHand(source: number, target: number, start: number, end: number): number {
  const buffer = Buffer.allocUnsafe(Math.min(1024 * 1024, end - start));
  let at = start;
  while (at < end) {
    const read = readSync(source, buffer, 0, Math.min(buffer.length, end - at), at);
    if (read === 0) return end;
    for (let written = 0; written < read;) {
      written += writeSync(target, buffer, written, read - written, at + written);
    }
    at += read;
  }
  return at;
}
