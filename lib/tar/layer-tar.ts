/** Tar members ⇄ layer entries. */
import { baseOf, display, joinPath, parentOf, type Bytes, type LayerPath } from '../bytes.js';
import { LayerfsError } from '../errors.js';
import type { Entry, HardlinkEntry, Meta } from '../layer/entry.js';
import { isInsideAufs, opaqueName, parseWhiteout, whiteoutName } from '../layer/whiteout.js';
import { limits } from '../limits.js';
import type { TarMember, TarWarning, TarWarningCode } from './member.js';
import type { TarMemberInput } from './writer.js';

/**
 * The change a member makes to a layer, or null where it makes none: then, and where an attribute is left out,
 * `warn` is told. Paths are normalised as text: absolute ones are inside the root, `a/../b` is `b`.
 * Whatever a whiteout's type or size, it is a whiteout; its data, if any, means nothing.
 *
 * Left out with a warning: AUFS' own files, character devices 0/0 (a whiteout to overlayfs), the xattr
 * `security.selinux` (the host's policy labels files), `user.*` xattrs on what is neither file nor directory (the
 * kernel has none there).
 *
 * @throws LayerfsError PATH_ESCAPE for a path or hardlink target above the root, ENTRY_INVALID for what no file system
 *   can hold, LIMIT_EXCEEDED for names, paths and targets that are too long or deep
 */
export function entryOf(member: TarMember, warn: (warning: TarWarning) => void): Entry | null {
  const path = normalise(member.path, 'path', member);
  if (isInsideAufs(path)) return drop('aufs', 'it belongs to AUFS, not to the layer', member, warn);
  const marker = parseWhiteout(baseOf(path));
  if (marker === 'aufs') return drop('aufs', 'it belongs to AUFS, not to the layer', member, warn);
  if (marker === 'opaque') return { kind: 'opaque', path: checkLengths(parentOf(path), member) };
  if (marker !== null) {
    return { kind: 'whiteout', path: checkLengths(joinPath(parentOf(path), marker.whiteout), member) };
  }
  checkLengths(path, member);
  if (path === '' && member.type !== 'directory') {
    throw invalid(`the root can only be a directory, not a ${member.type}`, member);
  }
  switch (member.type) {
    case 'file':
      return { kind: 'file', path, meta: metaOf(member, warn), size: member.size, extents: member.extents };
    case 'directory':
    case 'fifo':
      return { kind: member.type, path, meta: metaOf(member, warn) };
    case 'symlink':
      return { kind: 'symlink', path, meta: metaOf(member, warn), target: checkTarget(member) };
    case 'hardlink': {
      const target = checkLengths(normalise(member.linkPath, 'hardlink target', member), member);
      if (target === '') throw invalid('a hardlink to the root', member);
      if (target === path) throw invalid('a hardlink to itself', member);
      return { kind: 'hardlink', path, target };
    }
    case 'char':
    case 'block':
      if (member.type === 'char' && member.major === 0 && member.minor === 0) {
        return drop('device-zero', 'a character device 0/0 would be a whiteout to overlayfs', member, warn);
      }
      return {
        kind: member.type,
        path,
        meta: metaOf(member, warn),
        major: member.major,
        minor: member.minor,
      };
  }
}

/** The member that carries an entry. Whiteouts are empty files with all attributes 0. */
export function memberOf(entry: Exclude<Entry, HardlinkEntry>): TarMemberInput {
  switch (entry.kind) {
    case 'whiteout':
      return markerMember(joinPath(parentOf(entry.path), whiteoutName(baseOf(entry.path))));
    case 'opaque':
      return markerMember(joinPath(entry.path, opaqueName));
    case 'directory':
      return {
        type: 'directory',
        path: (entry.path === '' ? './' : `${entry.path}/`) as Bytes,
        ...entry.meta,
      };
    case 'file':
      return { type: 'file', path: entry.path, ...entry.meta, size: entry.size };
    case 'symlink':
      return { type: 'symlink', path: entry.path, ...entry.meta, linkPath: entry.target };
    case 'fifo':
      return { type: 'fifo', path: entry.path, ...entry.meta };
    case 'char':
    case 'block':
      return { type: entry.kind, path: entry.path, ...entry.meta, major: entry.major, minor: entry.minor };
  }
}

/**
 * The member that carries a hardlink. It repeats the attributes of the file it names: containerd and Docker apply
 * those of every name, the last one counting.
 */
export function memberOfHardlink(entry: HardlinkEntry, file: Meta): TarMemberInput {
  return { type: 'hardlink', path: entry.path, ...file, linkPath: entry.target };
}

function markerMember(path: LayerPath): TarMemberInput {
  return { type: 'file', path, mode: 0, uid: 0, gid: 0, mtime: 0n };
}

function metaOf(member: TarMember, warn: (warning: TarWarning) => void): Meta {
  const { mode, uid, gid, mtime } = member;
  return { mode, uid, gid, mtime, xattrs: member.xattrs.size === 0 ? member.xattrs : xattrsOf(member, warn) };
}

function xattrsOf(member: TarMember, warn: (warning: TarWarning) => void): ReadonlyMap<Bytes, Buffer> {
  const kept = new Map<Bytes, Buffer>();
  const holdsUserXattrs = member.type === 'file' || member.type === 'directory';
  for (const [name, value] of member.xattrs) {
    if (!/^[^.]+\../s.test(name)) throw invalid(`its xattr ${display(name)} has no namespace`, member);
    if (name.length > limits.nameLength)
      throw tooLong('the name of an xattr', name.length, limits.nameLength, member);
    if (name === 'security.selinux') {
      drop('selinux', 'its xattr security.selinux is left to the host', member, warn);
    } else if (name.startsWith('user.') && !holdsUserXattrs) {
      drop('user-xattr', `its xattr ${display(name)} cannot be on a ${member.type}`, member, warn);
    } else {
      kept.set(name, value);
    }
  }
  return kept;
}

/** PATH_MAX of Linux without its NUL: what symlink(2) takes. */
const targetLength = 4095;

function checkTarget(member: TarMember): Bytes {
  if (member.linkPath === '') throw invalid('a symlink to nothing', member);
  if (member.linkPath.length > targetLength) {
    throw tooLong('the target of a symlink', member.linkPath.length, targetLength, member);
  }
  return member.linkPath;
}

/** Already normal, or but for a slash at the end: nearly every path of a layer, and worth the test. */
const isPlain = (path: Bytes): boolean =>
  !path.startsWith('/') && !path.startsWith('.') && !path.includes('//') && !path.includes('/.');

function normalise(path: Bytes, what: string, member: TarMember): LayerPath {
  if (isPlain(path)) return (path.endsWith('/') ? path.slice(0, -1) : path) as LayerPath;
  const components: string[] = [];
  for (const component of path.split('/')) {
    if (component === '' || component === '.') continue;
    if (component !== '..') components.push(component);
    else if (components.pop() === undefined) {
      throw new LayerfsError('PATH_ESCAPE', `the ${what} leads above the root: ${display(path)}`, {
        detail: { path: display(member.path) },
      });
    }
  }
  return components.join('/') as LayerPath;
}

function checkLengths(path: LayerPath, member: TarMember): LayerPath {
  if (path.length <= limits.nameLength) return path;
  if (path.length > limits.pathLength) throw tooLong('the path', path.length, limits.pathLength, member);
  const components = path.split('/');
  if (components.length > limits.pathDepth) {
    throw new LayerfsError(
      'LIMIT_EXCEEDED',
      `more than ${limits.pathDepth} directories in each other: ${display(member.path)}`,
    );
  }
  for (const component of components) {
    if (component.length > limits.nameLength)
      throw tooLong('a name', component.length, limits.nameLength, member);
  }
  return path;
}

function drop(
  code: TarWarningCode,
  message: string,
  member: TarMember,
  warn: (warning: TarWarning) => void,
): null {
  warn({ code, path: member.path, message });
  return null;
}

function invalid(problem: string, member: TarMember): LayerfsError {
  const path = display(member.path);
  return new LayerfsError('ENTRY_INVALID', `${path}: ${problem}`, { detail: { path } });
}

function tooLong(what: string, length: number, limit: number, member: TarMember): LayerfsError {
  const path = display(member.path);
  return new LayerfsError('LIMIT_EXCEEDED', `${path}: ${what} has ${length} bytes, more than ${limit}`, {
    detail: { path },
  });
}
