/**
 * The kernel overlayfs upper format (Documentation/filesystems/overlayfs.rst), and the only place that knows it:
 * a whiteout is a character device 0/0, an opaque directory has `trusted.overlay.opaque` = `y`. Attributes of that
 * name space which an image brings along are escaped, one level deeper, so that they are never taken for marks;
 * overlayfs (Linux 6.7 and later) takes the level off again when it shows them.
 */
import { bytes, type Bytes } from '../bytes.js';

const prefix = 'trusted.overlay.';
const escaped = 'trusted.overlay.overlay.';

/** The mode and device number of a whiteout. */
export const whiteoutDevice = { mode: 0, major: 0, minor: 0 } as const;

export const opaqueXattr = { name: bytes(`${prefix}opaque`), value: Buffer.from('y') } as const;

/**
 * Without this mark the kernel lists whiteouts of a directory that no other layer has: it filters listings only
 * where directories are merged, or where a directory says that it was copied up from somewhere. An empty value
 * means "from where is not known".
 */
export const originUnknownXattr = { name: bytes(`${prefix}origin`), value: Buffer.alloc(0) } as const;

/** The name under which an image's xattr is kept in an unpacked layer. Inverse of `xattrFromDisk`. */
export function xattrToDisk(name: Bytes): Bytes {
  return name.startsWith(prefix) ? ((escaped + name.slice(prefix.length)) as Bytes) : name;
}

/** An image's xattr from its name in an unpacked layer; null for a mark. Inverse of `xattrToDisk`. */
export function xattrFromDisk(name: Bytes): Bytes | null {
  if (!name.startsWith(prefix)) return name;
  return name.startsWith(escaped) ? ((prefix + name.slice(escaped.length)) as Bytes) : null;
}
