/** Tar members ⇄ layer entries. */
import { baseOf, joinPath, parentOf, type Bytes } from '../bytes.js';
import { LayerfsError, type ErrorCode } from '../errors.js';
import type { Entry, HardlinkEntry, Meta } from '../layer/entry.js';
import { isInsideAufs, opaqueName, parseWhiteout, whiteoutName } from '../layer/whiteout.js';
import { limits } from '../limits.js';
import { shown } from './fault.js';
import { checkPath, normalisePath } from './layer-path.js';
import type { TarMember, TarWarning, TarWarningCode } from './member.js';
import type { TarMemberInput } from './writer.js';

/** What symlink(2) takes: PATH_MAX without the NUL. */
const maximumTargetLength = 4095;

/**
 * The change that a member makes to a layer, or null where it makes none; `warn` is told what is left out:
 * AUFS' own files, character devices 0/0 (whiteouts to overlayfs), the xattr `security.selinux` (labels are the host's),
 * `user.*` xattrs on anything but files and directories (the kernel allows none).
 *
 * A whiteout is one whatever the type and size of its member. Data that the member may have is not part of the entry.
 *
 * @throws LayerfsError PATH_ESCAPE for a path or hardlink target above the root, ENTRY_INVALID for what no file system can
 *   hold, LIMIT_EXCEEDED for paths, targets and names of xattrs that are too long
 */
export function entryOf(member: TarMember, warn: (warning: TarWarning) => void): Entry | null {
  const path = normalisePath(member.path);
  const marker = isInsideAufs(path) ? 'aufs' : parseWhiteout(baseOf(path), path);
  if (marker === 'aufs') {
    report(warn, member, 'aufs', 'it belongs to AUFS, not to the layer');
    return null;
  }
  if (marker === 'opaque') return { kind: 'opaque', path: checkPath(parentOf(path)) };
  if (marker !== null) {
    return { kind: 'whiteout', path: checkPath(joinPath(parentOf(path), marker.whiteout)) };
  }
  checkPath(path);
  if (path === '' && member.type !== 'directory') {
    throw refusal(member, `the root cannot be a ${member.type}`);
  }
  switch (member.type) {
    case 'file':
      return { kind: 'file', path, meta: metaOf(member, warn), size: member.size, extents: member.extents };
    case 'directory':
    case 'fifo':
      return { kind: member.type, path, meta: metaOf(member, warn) };
    case 'symlink':
      return { kind: 'symlink', path, meta: metaOf(member, warn), target: symlinkTargetOf(member) };
    case 'hardlink': {
      const target = checkPath(normalisePath(member.linkPath));
      if (target === '') throw refusal(member, 'a hardlink to the root');
      if (target === path) throw refusal(member, 'a hardlink to itself');
      return { kind: 'hardlink', path, target };
    }
    case 'char':
    case 'block': {
      const { type: kind, major, minor } = member;
      if (kind === 'char' && major === 0 && minor === 0) {
        report(warn, member, 'device-zero', 'a character device 0/0 would be a whiteout to overlayfs');
        return null;
      }
      return { kind, path, meta: metaOf(member, warn), major, minor };
    }
  }
}

function metaOf(member: TarMember, warn: (warning: TarWarning) => void): Meta {
  const { mode, uid, gid, mtime, xattrs } = member;
  return { mode, uid, gid, mtime, xattrs: xattrs.size === 0 ? xattrs : xattrsOf(member, warn) };
}

function xattrsOf(member: TarMember, warn: (warning: TarWarning) => void): ReadonlyMap<Bytes, Buffer> {
  const xattrs = new Map<Bytes, Buffer>();
  const takesUserXattrs = member.type === 'file' || member.type === 'directory';
  for (const [name, value] of member.xattrs) {
    if (!/^[^.]+\../s.test(name)) throw refusal(member, `its xattr ${shown(name)} has no namespace`);
    if (name.length > limits.nameLength) {
      throw refusal(member, `an xattr's name has more than ${limits.nameLength} bytes`, 'LIMIT_EXCEEDED');
    }
    if (name === 'security.selinux') {
      report(warn, member, 'selinux', 'its xattr security.selinux is left to the host');
    } else if (name.startsWith('user.') && !takesUserXattrs) {
      report(warn, member, 'user-xattr', `a ${member.type} cannot have its xattr ${shown(name)}`);
    } else {
      xattrs.set(name, value);
    }
  }
  return xattrs;
}

function symlinkTargetOf(member: TarMember): Bytes {
  const { linkPath } = member;
  if (linkPath === '') throw refusal(member, 'a symlink to nothing');
  if (linkPath.length > maximumTargetLength) {
    throw refusal(member, `a symlink's target has more than ${maximumTargetLength} bytes`, 'LIMIT_EXCEEDED');
  }
  return linkPath;
}

function report(
  warn: (warning: TarWarning) => void,
  member: TarMember,
  code: TarWarningCode,
  message: string,
): void {
  warn({ code, path: member.path, message });
}

function refusal(member: TarMember, problem: string, code: ErrorCode = 'ENTRY_INVALID'): LayerfsError {
  const path = shown(member.path);
  return new LayerfsError(code, `${path}: ${problem}`, { detail: { path } });
}

/**
 * The member that carries an entry: `entryOf` gives the entry back. Whiteouts are empty files, all attributes 0; sparse
 * files are written with their holes.
 */
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
      return { type: 'file', path: entry.path, size: entry.size, ...entry.meta };
    case 'fifo':
      return { type: 'fifo', path: entry.path, ...entry.meta };
    case 'symlink':
      return { type: 'symlink', path: entry.path, linkPath: entry.target, ...entry.meta };
    case 'char':
    case 'block':
      return { type: entry.kind, path: entry.path, major: entry.major, minor: entry.minor, ...entry.meta };
  }
}

/**
 * The member that carries a hardlink. It repeats the attributes of its file, since containerd and Docker set those of
 * every name on the one inode, xattrs included.
 */
export function memberOfHardlink(entry: HardlinkEntry, file: Meta): TarMemberInput {
  return { type: 'hardlink', path: entry.path, linkPath: entry.target, ...file };
}

function markerMember(path: Bytes): TarMemberInput {
  return { type: 'file', path, mode: 0, uid: 0, gid: 0, mtime: 0n };
}
