/** Making data durable. */
import { checked } from './errno.js';
import { bind } from './libc.js';

const native = { syncfs: bind('int', 'syncfs', 'int') };

/** Everything written so far to the file system that `fd` is on is on the disk; a lost write since the open is an error. */
export function syncfs(fd: number): void {
  checked(native.syncfs(fd), 'syncfs');
}
