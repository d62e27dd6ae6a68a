/** flock(2): locks of an open file description, which vanish with the last fd of it. */
import { LOCK_NB } from './constants.js';
import { checked, errno } from './errno.js';
import { bind } from './libc.js';

const native = { flock: bind('int', 'flock', 'int', 'int') };

/** Takes or drops a lock (LOCK_SH, LOCK_EX, LOCK_UN); blocks the thread until it is free. */
export function flock(fd: number, operation: number): void {
  checked(native.flock(fd, operation), 'flock');
}

/** The same without waiting: false where someone else holds it. */
export function tryFlock(fd: number, operation: number): boolean {
  const result = native.flock(fd, operation | LOCK_NB);
  if (result === -errno.EWOULDBLOCK) return false;
  checked(result, 'flock');
  return true;
}
