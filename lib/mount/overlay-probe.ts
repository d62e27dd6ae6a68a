/** Asks the kernel whether a directory is the upper of a live overlay mount, wherever that mount may be. */
import { bytes, type Bytes } from '../bytes.js';
import {
  close,
  errno,
  fsconfigString,
  fsopen,
  procPath,
  systemError,
  tryFsconfigCreate,
} from '../sys/index.js';

/**
 * True if an overlay superblock has the directory `upperFd` as its upperdir or workdir: mounted in any mount
 * namespace, or unmounted lazily with files still open. The directory stays as it is, times included.
 *
 * overlayfs marks the inode of an upperdir as in use, and with `index=on` refuses one that is marked (EBUSY). We
 * ask for such a mount with the directory as upperdir and workdir at once: refused as nonsense (EINVAL) after that
 * check, and before anything is written. The kernel's log gets a line or two each time.
 *
 * False is not the whole truth in two cases, which the caller's lock must rule out: the mark belongs to the first of
 * two mounts that share an upper, and goes with it; and a mount made in the very moment of the question gets no mark.
 * A FUSE server's use of the directory is not seen.
 * @throws SystemError EPERM without CAP_SYS_ADMIN over the mount namespace, ENODEV without overlayfs, EINVAL where
 *   the kernel would not take the directory as an upper: read-only, or opened in another mount namespace
 */
export function upperInUse(upperFd: number): boolean {
  const directory = procPath(upperFd);
  const asUpper = tryOverlay({ index: 'on', lowerdir: directory, upperdir: directory, workdir: directory });
  if (asUpper === -errno.EBUSY) return true;
  if (asUpper === -errno.EINVAL) {
    // EINVAL is also the answer for a directory that is refused before the check. Twice as a lower, it is refused
    // as overlapping itself (ELOOP), but only after it was accepted once.
    const asLower = tryOverlay({ lowerdir: `${directory}:${directory}` });
    if (asLower === -errno.ELOOP) return false;
  }
  throw systemError(
    asUpper,
    'fsconfig FSCONFIG_CMD_CREATE',
    directory,
    'overlay cannot have this as upperdir',
  );
}

/** 0 or a negative errno; a superblock that was made is gone again. */
function tryOverlay(parameters: Readonly<Record<string, string>>): number {
  const context = fsopen(bytes('overlay'));
  try {
    for (const [key, value] of Object.entries(parameters))
      fsconfigString(context, bytes(key), value as Bytes);
    return tryFsconfigCreate(context);
  } finally {
    close(context);
  }
}
