/** Setting access and modification times to the nanosecond. */
import type { Bytes } from '../bytes.js';
import { UTIME_NOW, UTIME_OMIT } from './constants.js';
import { first } from './cstring.js';
import { checked } from './errno.js';
import { bind } from './libc.js';

/** Nanoseconds since the epoch, before it where negative; the current time; or leave it as it is. */
export type Time = bigint | 'now' | 'omit';

const native = {
  utimensat: bind('int', 'utimensat', 'int', 'void *', 'void *', 'int'),
  futimens: bind('int', 'futimens', 'int', 'void *'),
};

/** Two `struct timespec`: seconds and nanoseconds, 64 bits each. */
const words = new Int32Array(8);
const timespecs = Buffer.from(words.buffer);

function encode(index: number, time: Time): void {
  if (typeof time === 'string') {
    words[index + 2] = time === 'now' ? UTIME_NOW : UTIME_OMIT;
    return;
  }
  let seconds = Number(time / 1_000_000_000n);
  let nanoseconds = Number(time % 1_000_000_000n);
  if (nanoseconds < 0) {
    seconds -= 1;
    nanoseconds += 1_000_000_000;
  }
  words[index] = seconds;
  words[index + 1] = Math.floor(seconds / 0x1_0000_0000);
  words[index + 2] = nanoseconds;
}

/** The two structs as the kernel reads them; valid until the next call. */
export function encodeTimes(atime: Time, mtime: Time): Buffer {
  encode(0, atime);
  encode(4, mtime);
  return timespecs;
}

/** Sets the times of what `path` names; `flags` AT_SYMLINK_NOFOLLOW for a symlink's own. */
export function utimensat(dirfd: number, path: Bytes, atime: Time, mtime: Time, flags = 0): void {
  const times = encodeTimes(atime, mtime);
  checked(native.utimensat(dirfd, first.of(path, 'utimensat'), times, flags), 'utimensat', path);
}

/** Sets the times of an open file (not O_PATH: that is EBADF). */
export function futimens(fd: number, atime: Time, mtime: Time): void {
  checked(native.futimens(fd, encodeTimes(atime, mtime)), 'futimens');
}
