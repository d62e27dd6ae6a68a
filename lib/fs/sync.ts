/** Making many files durable at once. */
import { bytes, type HostPath } from '../bytes.js';
import { AT_FDCWD, O_DIRECTORY, O_RDONLY, close, openat, syncfs } from '../sys/index.js';

/** Everything written to the file system of a directory is on the disk. Holds the thread until it is. */
export function syncFileSystem(directory: HostPath): void {
  const fd = openat(AT_FDCWD, bytes(directory), O_RDONLY | O_DIRECTORY);
  try {
    syncfs(fd);
  } finally {
    close(fd);
  }
}
