/** Files of a tree by their path in it, whatever its length: no symlink is followed, and nothing leads out. */
import { baseOf, parentOf, type Bytes, type LayerPath } from '../bytes.js';
import {
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  close,
  linkat,
  openat2,
} from '../sys/index.js';

/** What one system call takes: PATH_MAX without the NUL. */
const longest = 4095;
const resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

/** Opens the file at a path, not the root itself. @throws SystemError ELOOP for a symlink, ENOENT, … */
export function openBeneath(root: number, path: LayerPath, flags: number): number {
  if (path.length <= longest) return openat2(root, path, { flags: flags | O_NOFOLLOW, resolve });
  const slash = path.lastIndexOf('/', longest);
  const directory = openBeneath(root, path.slice(0, slash) as LayerPath, O_PATH | O_DIRECTORY);
  try {
    return openBeneath(directory, path.slice(slash + 1) as LayerPath, flags);
  } finally {
    close(directory);
  }
}

/** Gives the file at a path one more name. */
export function linkBeneath(root: number, path: LayerPath, directory: number, name: Bytes): void {
  if (path.length <= longest) {
    linkat(root, path, directory, name);
    return;
  }
  const parent = openBeneath(root, parentOf(path), O_PATH | O_DIRECTORY);
  try {
    linkat(parent, baseOf(path), directory, name);
  } finally {
    close(parent);
  }
}
