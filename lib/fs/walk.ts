/**
 * Reading a directory of the host: by descriptor, names as bytes, no symlink followed, no mount entered unless
 * asked.
 */
import { readdirSync } from 'node:fs';
import { display, joinPath, rootPath, type Bytes, type LayerPath } from '../bytes.js';
import { LayerfsError, wrapError } from '../errors.js';
import { limits } from '../limits.js';
import {
  AT_EMPTY_PATH,
  AT_NO_AUTOMOUNT,
  AT_SYMLINK_NOFOLLOW,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  RESOLVE_BENEATH,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
  S_IFDIR,
  S_IFMT,
  close,
  errno,
  statx,
  systemError,
  tryOpenat2,
  tryStatx,
  type Statx,
} from '../sys/index.js';

/** A file of any type, as the walk found it. */
export interface HostFile {
  /** From the root of the walk. */
  readonly path: LayerPath;
  /** The directory it is in: open until the walk is asked for the next file. */
  readonly directory: number;
  /** Its name in `directory`; `.` for the root of the walk. */
  readonly name: Bytes;
  readonly status: Statx;
  /** Something is mounted here: what it covers cannot be seen. Never true for the root of the walk. */
  readonly isMountPoint: boolean;
}

export interface WalkOptions {
  /** Whether directories that something is mounted at are entered. They are found in either case. Default: false. */
  readonly enterMounts?: boolean;
}

/** A directory that the walk is in. */
interface Level {
  readonly path: LayerPath;
  readonly fd: number;
  /** Read when the walk comes to it. */
  names: readonly Bytes[] | undefined;
  next: number;
}

/**
 * Every file beneath the directory `root` (not an O_PATH descriptor), itself first: directories before what is in
 * them, names in byte order. The tree may change meanwhile: a file that was listed and is gone, or a directory that
 * is another when its turn comes, ends the walk with an error rather than being left out.
 *
 * @throws LayerfsError FILESYSTEM (`detail.errno` is ENOENT or ESTALE for the above), PERMISSION, LIMIT_EXCEEDED
 *   for a tree that is deeper than a layer may be
 */
export function* walk(root: number, options: WalkOptions = {}): Generator<HostFile> {
  const status = tryStatx(root, '.' as Bytes, 0);
  if (typeof status === 'number') throw hostError(status, 'statx', rootPath);
  yield { path: rootPath, directory: root, name: '.' as Bytes, status, isMountPoint: false };
  const levels: Level[] = [{ path: rootPath, fd: root, names: undefined, next: 0 }];
  try {
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      level.names ??= namesIn(level);
      const name = level.names[level.next++];
      if (name === undefined) {
        levels.pop();
        if (level.fd !== root) close(level.fd);
        continue;
      }
      const file = find(level, name);
      yield file;
      if ((file.status.mode & S_IFMT) !== S_IFDIR) continue;
      if (file.isMountPoint && options.enterMounts !== true) continue;
      if (levels.length >= limits.pathDepth) throw tooDeep(file.path);
      levels.push({ path: file.path, fd: enter(file), names: undefined, next: 0 });
    }
  } finally {
    for (const { fd } of levels) if (fd !== root) close(fd);
  }
}

/** In byte order: a Bytes string has one character for each byte. */
function namesIn({ fd, path }: Level): Bytes[] {
  try {
    return (readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' }) as Bytes[]).sort();
  } catch (error) {
    throw wrapError(error, `read the directory /${display(path)}`, { path });
  }
}

function find(level: Level, name: Bytes): HostFile {
  const path = joinPath(level.path, name);
  const status = tryStatx(level.fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT);
  if (typeof status === 'number') throw hostError(status, 'statx', path);
  return { path, directory: level.fd, name, status, isMountPoint: status.isMountRoot };
}

/** Opens a directory that was found, and makes sure that it is the one. */
function enter(file: HostFile): number {
  const fd = openFound(file, O_RDONLY | O_DIRECTORY);
  if (isSame(file.status, statx(fd, '' as Bytes, AT_EMPTY_PATH))) return fd;
  close(fd);
  throw changedError('openat2', file.path);
}

/**
 * Opens a file that was found: never through a link that has taken its name, nor into something mounted over it
 * since. Another file may have taken the name: compare with isSame. Close it with `close` of lib/sys.
 *
 * @throws LayerfsError FILESYSTEM (`detail.errno` ENOENT, ELOOP or EXDEV where it is not there any more),
 *   PERMISSION
 */
export function openFound(file: HostFile, flags: number): number {
  const resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | (file.isMountPoint ? 0 : RESOLVE_NO_XDEV);
  const fd = tryOpenat2(file.directory, file.name, { flags: flags | O_NOFOLLOW, resolve });
  if (fd < 0) throw hostError(fd, 'openat2', file.path);
  return fd;
}

/** Whether both are one inode. */
export function isSame(a: Statx, b: Statx): boolean {
  return a.ino === b.ino && a.devMinor === b.devMinor && a.devMajor === b.devMajor;
}

/** The error of a system call on a file of the walk. */
export function hostError(result: number, syscall: string, path: LayerPath, text?: string): unknown {
  return wrapError(systemError(result, syscall, path, text), `read /${display(path)}`, { path });
}

/** FILESYSTEM with ESTALE: the call went well, but on a file that is not as it was found. */
export function changedError(syscall: string, path: LayerPath): unknown {
  return hostError(-errno.ESTALE, syscall, path, 'it was changed or replaced meanwhile');
}

function tooDeep(path: LayerPath): LayerfsError {
  return new LayerfsError(
    'LIMIT_EXCEEDED',
    `/${display(path)}: more than ${limits.pathDepth} directories deep`,
    {
      detail: { path, limit: limits.pathDepth },
    },
  );
}
