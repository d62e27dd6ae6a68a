/** How much space a tree takes. */
import { readdirSync } from 'node:fs';
import { bytes, type Bytes, type HostPath } from '../bytes.js';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  close,
  openat,
  statx,
} from '../sys/index.js';

/** Space a snapshot takes beside its layers. */
export interface Usage {
  /** Bytes of disk, as `st_blocks` counts them. */
  readonly size: number;
  readonly inodes: number;
}

const pause = 2000;

/** Bytes of disk and inodes of a tree, hardlinks counted once. The event loop gets its turns. */
export async function treeUsage(path: HostPath): Promise<Usage> {
  const linked = new Set<bigint>();
  let size = 0;
  let inodes = 0;
  const visit = async (parent: number, name: Bytes): Promise<void> => {
    const directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    try {
      size += statx(directory, bytes(''), AT_EMPTY_PATH).blocks * 512;
      inodes += 1;
      for (const entry of readdirSync(`/proc/self/fd/${directory}`, {
        encoding: 'latin1',
        withFileTypes: true,
      })) {
        if (entry.isDirectory()) {
          await visit(directory, entry.name as Bytes);
          continue;
        }
        const stat = statx(directory, entry.name as Bytes, AT_SYMLINK_NOFOLLOW);
        if (stat.nlink > 1) {
          if (linked.has(stat.ino)) continue;
          linked.add(stat.ino);
        }
        size += stat.blocks * 512;
        inodes += 1;
        if (inodes % pause === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      close(directory);
    }
  };
  await visit(AT_FDCWD, bytes(path));
  return { size, inodes };
}
