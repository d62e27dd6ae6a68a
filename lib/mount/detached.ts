/** Mounts that are nowhere yet, and giving them a place. */
import { bytes, type HostPath } from '../bytes.js';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  close,
  moveMount,
  openat,
  statx,
} from '../sys/index.js';

/**
 * A mount that is nowhere yet. The caller writes its use record and then attaches it; disposing of it without
 * attaching leaves nothing.
 */
export interface DetachedMount extends Disposable {
  /** Descriptor of the mount, for move_mount(2). */
  readonly fd: number;
  /** A text that mount tables show for this mount: part of its source, or the end of its root. */
  readonly trace: string;
}

export function detachedMount(fd: number, trace: string): DetachedMount {
  let open = true;
  return {
    fd,
    trace,
    [Symbol.dispose](): void {
      if (open) close(fd);
      open = false;
    },
  };
}

const nowhere = bytes('');

/** The kernel's id of a mount, unique until the next boot (Linux 6.8). */
export function mountIdOf(fd: number): bigint {
  return statx(fd, nowhere, AT_EMPTY_PATH).mountId;
}

/** Shows a mount at an existing directory; `target` is not followed if it is a symlink. */
export function attachMount(mount: DetachedMount, target: HostPath): void {
  const at = openat(AT_FDCWD, bytes(target), O_PATH | O_DIRECTORY | O_NOFOLLOW);
  try {
    moveMount(mount.fd, nowhere, at, nowhere, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
  } finally {
    close(at);
  }
}
