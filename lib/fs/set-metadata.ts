/** Owner, xattrs, mode and times of what has just been made, in the order that sticks. */
import type { Bytes } from '../bytes.js';
import type { Meta } from '../layer/entry.js';
import {
  AT_SYMLINK_NOFOLLOW,
  fchmod,
  fchmodat,
  fchown,
  fchownat,
  fsetxattr,
  futimens,
  lsetxattr,
  procPath,
  utimensat,
} from '../sys/index.js';

/** The name under which an xattr is set: the upper format escapes some. */
export type XattrName = (name: Bytes) => Bytes;

const asItIs: XattrName = (name) => name;

/**
 * Through the descriptor of a file or directory. chown clears setuid and file capabilities, so it comes first;
 * an ACL changes the mode, so the mode comes after it.
 */
export function setMetadata(fd: number, meta: Meta, xattrName: XattrName = asItIs): void {
  fchown(fd, meta.uid, meta.gid);
  for (const [name, value] of meta.xattrs) fsetxattr(fd, xattrName(name), value);
  fchmod(fd, meta.mode);
  futimens(fd, meta.mtime, meta.mtime);
}

/** The same for what cannot be opened or must not be: a symlink, a fifo (it would block), a device (it would act). */
export function setMetadataAt(
  parent: number,
  name: Bytes,
  kind: string,
  meta: Meta,
  xattrName: XattrName = asItIs,
): void {
  fchownat(parent, name, meta.uid, meta.gid, AT_SYMLINK_NOFOLLOW);
  const path = `${procPath(parent)}/${name}` as Bytes;
  for (const [xattr, value] of meta.xattrs) lsetxattr(path, xattrName(xattr), value);
  if (kind !== 'symlink') fchmodat(parent, name, meta.mode);
  utimensat(parent, name, meta.mtime, meta.mtime, AT_SYMLINK_NOFOLLOW);
}
