/** A directory as values and as text: what two trees are compared by. */
import { createHash } from 'node:crypto';
import { readSync, readdirSync } from 'node:fs';
import { bytes, joinPath, rootPath, type Bytes, type HostPath, type LayerPath } from '../../lib/bytes.js';
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  close,
  lgetxattr,
  llistxattr,
  openat,
  procPath,
  readlinkat,
  statx,
  type Statx,
} from '../../lib/sys/index.js';

export interface TreeEntry {
  readonly path: LayerPath;
  readonly kind: 'directory' | 'file' | 'symlink' | 'char' | 'block' | 'fifo';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a file, in bytes. */
  readonly size: number | null;
  /** Nanoseconds. */
  readonly mtime: bigint;
  /** By name, in byte order. */
  readonly xattrs: readonly (readonly [Bytes, Buffer])[];
  /** Of a symlink. */
  readonly target: Bytes | null;
  /** Of a device. */
  readonly device: readonly [number, number] | null;
  /** Of a file. */
  readonly data: { readonly sha256: string; /** 40 bytes at most. */ readonly start: Buffer } | null;
  /** The first path of the same inode in the order of the tree. */
  readonly first: LayerPath;
}

const kinds = new Map<number, TreeEntry['kind']>([
  [S_IFDIR, 'directory'],
  [S_IFREG, 'file'],
  [S_IFLNK, 'symlink'],
  [S_IFCHR, 'char'],
  [S_IFBLK, 'block'],
  [S_IFIFO, 'fifo'],
]);

/** Everything in a directory, itself first, depth first, names by their bytes. A name that is listed must be there. */
export function readTree(directory: HostPath): TreeEntry[] {
  const entries: TreeEntry[] = [];
  const firstPaths = new Map<string, LayerPath>();
  const visit = (parent: number, name: Bytes, path: LayerPath): void => {
    const status = statx(parent, name, AT_SYMLINK_NOFOLLOW);
    const kind = kinds.get(status.mode & S_IFMT);
    if (kind === undefined) throw new Error(`a file of no known type: ${path}`);
    const inode = `${status.devMajor}:${status.devMinor}:${status.ino}`;
    const first = firstPaths.get(inode) ?? path;
    firstPaths.set(inode, first);
    const { uid, gid, mtime } = status;
    entries.push({
      ...{ path, kind, mode: status.mode & 0o7777, uid, gid, mtime, first },
      size: kind === 'file' ? status.size : null,
      xattrs: xattrsOf(parent, name),
      target: kind === 'symlink' ? readlinkat(parent, name) : null,
      device: kind === 'char' || kind === 'block' ? [status.rdevMajor, status.rdevMinor] : null,
      data: kind === 'file' ? dataOf(parent, name, status) : null,
    });
    if (kind !== 'directory') return;
    opened(parent, name, O_DIRECTORY, (fd) => {
      const names = readdirSync(procPath(fd), { encoding: 'latin1' }) as Bytes[];
      for (const child of names.sort()) visit(fd, child, joinPath(path, child));
    });
  };
  opened(AT_FDCWD, bytes(directory), O_DIRECTORY, (fd) => visit(fd, '.' as Bytes, rootPath));
  return entries;
}

function opened<T>(parent: number, name: Bytes, flags: number, use: (fd: number) => T): T {
  const fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | flags);
  try {
    return use(fd);
  } finally {
    close(fd);
  }
}

/** Labels are the host's, so they are left out. */
function xattrsOf(parent: number, name: Bytes): TreeEntry['xattrs'] {
  const path = `${procPath(parent)}/${name}` as Bytes;
  return llistxattr(path)
    .filter((xattr) => xattr !== 'security.selinux')
    .sort()
    .map((xattr) => [xattr, lgetxattr(path, xattr) ?? Buffer.from('(listed, but not there)')]);
}

function dataOf(parent: number, name: Bytes, { size }: Statx): TreeEntry['data'] {
  const hash = createHash('sha256');
  const start = Buffer.alloc(Math.min(size, 40));
  if (size > 0) {
    opened(parent, name, 0, (fd) => {
      readSync(fd, start, 0, start.length, 0);
      const buffer = Buffer.allocUnsafe(Math.min(size, 1024 * 1024));
      for (let at = 0, read = -1; read !== 0; at += read) {
        read = readSync(fd, buffer, 0, buffer.length, at);
        hash.update(buffer.subarray(0, read));
      }
    });
  }
  return { sha256: hash.digest('hex'), start };
}

export interface TextOptions {
  /** Whether it says which paths are one inode. Default: true. */
  readonly links?: boolean;
}

/** One line for each entry, with everything that it is. */
export function treeText(entries: readonly TreeEntry[], { links = true }: TextOptions = {}): string {
  return entries
    .map((entry) =>
      [
        `/${printable(entry.path)}`,
        entry.kind,
        entry.mode.toString(8).padStart(4, '0'),
        `${entry.uid}:${entry.gid}`,
        entry.size ?? '-',
        entry.mtime,
        entry.target === null ? (entry.device?.join(':') ?? '-') : printable(entry.target),
        entry.data?.sha256.slice(0, 16) ?? '-',
        ...entry.xattrs.map(([name, value]) => `${printable(name)}=${value.toString('hex')}`),
        ...(links && entry.first !== entry.path ? [`= /${printable(entry.first)}`] : []),
      ].join(' '),
    )
    .join('\n');
}

/**
 * What is there, in short: `etc/`, `etc/motd: hello`, `local -> /etc`, `null c 1:3`, `pipe p`, and `b = a` for a further
 * name of `a`. The root is left out.
 */
export function treeOutline(entries: readonly TreeEntry[]): string[] {
  return entries.slice(1).map(({ path, kind, target, device, data, first }) => {
    const name = printable(path);
    if (kind === 'directory') return `${name}/`;
    if (first !== path) return `${name} = ${printable(first)}`;
    if (target !== null) return `${name} -> ${printable(target)}`;
    if (device !== null) return `${name} ${kind.charAt(0)} ${device.join(':')}`;
    if (data === null) return `${name} p`;
    return data.start.length === 0 ? name : `${name}: ${printable(data.start.toString('latin1') as Bytes)}`;
  });
}

function printable(value: Bytes): string {
  return value.replace(/[^\x20-\x7e]|\\/g, (byte) => {
    return `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
