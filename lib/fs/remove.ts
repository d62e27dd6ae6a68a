/** Deleting trees that may hold anything, by descriptor: no symlink is followed and no mount is entered. */
import { readdirSync } from 'node:fs';
import { parse } from 'node:path';
import { bytes, type Bytes, type HostPath } from '../bytes.js';
import { LayerfsError, codeOf } from '../errors.js';
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
  close,
  errno,
  openat,
  openat2,
  tryUnlinkat,
  unlinkat,
} from '../sys/index.js';

/** After this many deletions the event loop gets a turn. */
const turn = 500;

interface Progress {
  removed: number;
}

/**
 * Deletes a file or a directory with everything in it; that there is none is success. Never goes into a mount below:
 * then it rejects IN_USE, and what it had not come to is still there.
 */
export async function removeTree(path: HostPath): Promise<void> {
  const { dir, base } = parse(path);
  let parent: number;
  try {
    parent = openat(AT_FDCWD, bytes(dir), O_RDONLY | O_DIRECTORY);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    const progress = { removed: 0 };
    for (const step of removing(parent, bytes(base), progress)) {
      if (step % turn === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    close(parent);
  }
}

/** The same at once, below a directory descriptor. */
export function removeTreeAt(parent: number, name: Bytes): void {
  const steps = removing(parent, name, { removed: 0 });
  while (steps.next().done !== true);
}

function* removing(parent: number, name: Bytes, progress: Progress): Generator<number> {
  const result = tryUnlinkat(parent, name);
  if (result === 0) {
    progress.removed += 1;
    yield progress.removed;
    return;
  }
  if (result === -errno.ENOENT) return;
  if (result !== -errno.EISDIR && result !== -errno.EPERM) unlinkat(parent, name);
  let directory: number;
  try {
    directory = openat2(parent, name, {
      flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
      resolve: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    });
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    throw new LayerfsError('IN_USE', 'something is mounted in a directory that was to be deleted', {
      cause: error,
    });
  }
  try {
    for (const child of readdirSync(`/proc/self/fd/${directory}`, { encoding: 'latin1' })) {
      yield* removing(directory, child as Bytes, progress);
    }
  } finally {
    close(directory);
  }
  unlinkat(parent, name, AT_REMOVEDIR);
  progress.removed += 1;
  yield progress.removed;
}
