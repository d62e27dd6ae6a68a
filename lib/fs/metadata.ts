/**
 * What the host keeps about a file, as layer entries have it: owner, mode, xattrs, times in nanoseconds, hard
 * links.
 */
import { read as readCallback, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { throwIfAborted, type Abortable } from '../abort.js';
import { display, type Bytes, type LayerPath } from '../bytes.js';
import { codeOf, wrapError } from '../errors.js';
import type { Entry, Meta } from '../layer/entry.js';
import {
  AT_EMPTY_PATH,
  O_NONBLOCK,
  O_RDONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFSOCK,
  close,
  lgetxattr,
  llistxattr,
  procPath,
  readlinkat,
  statx,
} from '../sys/index.js';
import { changedError, isSame, openFound, type HostFile } from './walk.js';

const noXattrs: ReadonlyMap<Bytes, Buffer> = new Map();

/**
 * Every xattr of a file that the process may see, by full name; empty where the file system has none. The
 * directory's descriptor and the name are one path for the kernel, so a symlink answers for itself.
 *
 * @throws LayerfsError FILESYSTEM, PERMISSION
 */
export function readXattrs(file: HostFile): ReadonlyMap<Bytes, Buffer> {
  const path = `${procPath(file.directory)}/${file.name}` as Bytes;
  try {
    const names = llistxattr(path);
    if (names.length === 0) return noXattrs;
    const xattrs = new Map<Bytes, Buffer>();
    for (const name of names.sort()) {
      const value = lgetxattr(path, name);
      if (value !== undefined) xattrs.set(name, value);
    }
    return xattrs;
  } catch (error) {
    if (codeOf(error) === 'ENOTSUP') return noXattrs;
    throw wrapError(error, `read the xattrs of /${display(file.path)}`, { path: file.path });
  }
}

/** Exactly what the host says; throws as {@link readXattrs}. */
export function readMeta(file: HostFile): Meta {
  const { mode, uid, gid, mtime } = file.status;
  return { mode: mode & 0o7777, uid, gid, mtime, xattrs: readXattrs(file) };
}

/** Which name of an inode came first: that one holds it, the others are hard links to it. */
export class InodeNames {
  readonly #first = new Map<string, LayerPath>();

  /** The name under which the inode was seen before; undefined where it is new, or has one name only. */
  earlier(file: HostFile): LayerPath | undefined {
    const { status, path } = file;
    if (status.nlink < 2) return undefined;
    const inode = `${status.devMajor}:${status.devMinor}:${status.ino}`;
    const first = this.#first.get(inode);
    if (first === undefined) this.#first.set(inode, path);
    return first;
  }
}

/**
 * The file as an entry of a layer; undefined for a socket, of which a layer cannot have any. A file that was seen
 * under another name (by these `names`) is a hard link to it. Nothing is interpreted: marks of overlayfs and names
 * that mean something in a tar come as they are.
 *
 * @throws LayerfsError FILESYSTEM, PERMISSION
 */
export function readEntry(file: HostFile, names: InodeNames): Entry | undefined {
  const { path, status } = file;
  const type = status.mode & S_IFMT;
  if (type === S_IFSOCK) return undefined;
  if (type === S_IFDIR) return { kind: 'directory', path, meta: readMeta(file) };
  // Overlayfs makes all its whiteouts, character devices 0/0, one inode: they are no names of one file.
  const isMark = type === S_IFCHR && status.rdevMajor === 0 && status.rdevMinor === 0;
  const earlier = isMark ? undefined : names.earlier(file);
  if (earlier !== undefined) return { kind: 'hardlink', path, target: earlier };
  switch (type) {
    case S_IFLNK:
      return { kind: 'symlink', path, meta: readMeta(file), target: readTarget(file) };
    case S_IFCHR:
    case S_IFBLK: {
      const { rdevMajor: major, rdevMinor: minor } = status;
      return { kind: type === S_IFCHR ? 'char' : 'block', path, meta: readMeta(file), major, minor };
    }
    case S_IFIFO:
      return { kind: 'fifo', path, meta: readMeta(file) };
    default:
      return { kind: 'file', path, meta: readMeta(file), size: status.size, extents: null };
  }
}

function readTarget(file: HostFile): Bytes {
  try {
    return readlinkat(file.directory, file.name);
  } catch (error) {
    throw wrapError(error, `read the link /${display(file.path)}`, { path: file.path });
  }
}

const chunkSize = 1024 * 1024;
/** Up to this size a blocking read costs less than the way to a thread and back. */
const smallSize = 64 * 1024;
const read = promisify(readCallback);

/**
 * The bytes of a regular file, holes as zeros: exactly as many as its status says. To be read before the walk goes
 * on.
 *
 * @throws LayerfsError FILESYSTEM (`detail.errno` ESTALE where the file was changed or replaced since it was
 *   found), PERMISSION, ABORTED
 */
export async function* readContents(file: HostFile, options: Abortable = {}): AsyncGenerator<Buffer> {
  const { size } = file.status;
  if (size === 0) return;
  const fd = openFound(file, O_RDONLY | O_NONBLOCK);
  try {
    for (let offset = 0; offset < size;) {
      throwIfAborted(options.signal, `read /${display(file.path)}`);
      const chunk = await readChunk(fd, offset, Math.min(size - offset, chunkSize));
      if (chunk.length === 0) throw changedError('read', file.path);
      offset += chunk.length;
      yield chunk;
    }
    const now = statx(fd, '' as Bytes, AT_EMPTY_PATH);
    const same = isSame(now, file.status) && now.size === size && now.ctime === file.status.ctime;
    if (!same) throw changedError('read', file.path);
  } catch (error) {
    throw wrapError(error, `read /${display(file.path)}`, { path: file.path });
  } finally {
    close(fd);
  }
}

async function readChunk(fd: number, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  const bytesRead =
    length <= smallSize
      ? readSync(fd, buffer, 0, length, offset)
      : (await read(fd, buffer, 0, length, offset)).bytesRead;
  return buffer.subarray(0, bytesRead);
}
