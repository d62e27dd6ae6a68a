/**
 * The oracle: layers applied one after another to a plain directory, as `umoci unpack` does it, member by member in the
 * order of the tar. Simple, slow, and without any code of lib/layer, lib/union or lib/upper.
 *
 * The rules: a member replaces what is at its path, and only a directory over a directory keeps what is in it; parents
 * that have no member are made with mode 0755, owner 0:0 and time 0; symlinks in parents are followed inside the
 * root; a whiteout removes what lower layers have, never what its own layer put there, and makes nothing. Where umoci's
 * result depends on the order (the attributes of an implied directory whose whiteout follows), the directory is a new
 * one in either order.
 */
import {
  closeSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { bytes, type Bytes, type HostPath } from '../../lib/bytes.js';
import { codeOf } from '../../lib/errors.js';
import type { Meta } from '../../lib/layer/entry.js';
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  fchmodat,
  fchownat,
  llistxattr,
  lremovexattr,
  lsetxattr,
  mknodat,
  utimensat,
} from '../../lib/sys/index.js';
import type { Layer, Member } from '../support/tarball.js';

const impliedMeta: Meta = { mode: 0o755, uid: 0, gid: 0, mtime: 0n, xattrs: new Map() };
const mostSymlinks = 40;

export interface OracleOptions {
  /** `root` is a copy of what this one has made. */
  readonly like?: Oracle;
  /** What a path below a file of any type does: it becomes a directory (the default), or the member is refused. */
  readonly fileParents?: 'replace' | 'refuse';
}

type Kind = 'directory' | 'symlink' | 'other' | null;

export class Oracle {
  readonly #root: HostPath;
  /** Set at the end: what is put into a directory changes its times. */
  readonly #directories: Map<string, Meta>;
  readonly #refusesFileParents: boolean;
  /** What the layer being applied has put somewhere, and the directories above it. */
  #touched = new Map<string, 'member' | 'implied'>();

  /** @param root an empty directory, but for `like` */
  constructor(root: HostPath, { like, fileParents }: OracleOptions = {}) {
    this.#root = root;
    this.#directories = new Map(like === undefined ? [['', impliedMeta]] : like.#directories);
    this.#refusesFileParents = fileParents === 'refuse';
  }

  apply(...layers: readonly Layer[]): this {
    for (const layer of layers) {
      this.beginLayer();
      for (const member of layer)
        if (!this.put(member)) throw new Error(`refused: ${JSON.stringify(member)}`);
    }
    this.finish();
    return this;
  }

  beginLayer(): void {
    this.#touched = new Map();
  }

  /** Applies one member. @returns false, with nothing changed, for a member that an extractor must refuse */
  put(member: Member): boolean {
    if (member.kind === 'bytes') throw new TypeError('the oracle takes no raw bytes');
    if (member.kind === 'opaque') return this.#hideChildren(member.path);
    const at = member.path === '' ? { path: '' } : this.#place(member.path);
    if (at === null) return false;
    const { path } = at;
    if (member.kind === 'whiteout') {
      this.#hide(path);
      return true;
    }
    if (this.#refusesFileParents && this.#hasFileParent(path)) return false;
    const linked = member.kind === 'hardlink' ? this.#linkTarget(member.target, path) : null;
    if (member.kind === 'hardlink' && linked === null) return false;
    if (path !== '') this.#makeParents(parentOf(path));
    if (member.kind === 'directory') this.#putDirectory(path, member.meta, 'member');
    else {
      this.#remove(path);
      this.#create(member, path, linked);
    }
    this.#touched.set(path, 'member');
    return true;
  }

  /** Gives directories their attributes. More layers may follow. */
  finish(): void {
    const deepestFirst = [...this.#directories].sort(([a], [b]) => b.length - a.length);
    for (const [path, meta] of deepestFirst) {
      const at = this.#bytes(path);
      for (const name of llistxattr(at)) if (name !== 'security.selinux') lremovexattr(at, name);
      this.#describe(path, meta, false);
    }
  }

  /** Every path there is; directories end with a slash. The root is `/`. */
  paths(): string[] {
    const found: string[] = [];
    const visit = (path: string): void => {
      const kind = this.#kind(path);
      found.push(kind === 'directory' ? `${path}/` : path);
      if (kind === 'directory') for (const name of this.#children(path)) visit(join(path, name));
    };
    visit('');
    return found;
  }

  /** Where a member of that name goes: symlinks followed in all components but the last. null for a loop. */
  #place(path: string): { path: string } | null {
    const parent = this.#resolve(parentOf(path));
    return parent === null ? null : { path: join(parent, baseOf(path)) };
  }

  /** What does not exist is taken literally. */
  #resolve(path: string): string | null {
    let at: string[] = [];
    const todo = path.split('/').reverse();
    let followed = 0;
    for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        at.pop();
        continue;
      }
      const here = [...at, name].join('/');
      if (this.#kind(here) !== 'symlink') {
        at.push(name);
        continue;
      }
      if (++followed > mostSymlinks) return null;
      const target = readlinkSync(this.#buffer(here), 'latin1');
      if (target.startsWith('/')) at = [];
      todo.push(...target.split('/').reverse());
    }
    return at.join('/');
  }

  /** The file to link, or null where there is none, or where making the link takes it away. */
  #linkTarget(target: string, path: string): string | null {
    const at = this.#place(target)?.path;
    if (at === undefined || at === path) return null;
    if (at.startsWith(`${path}/`) || path.startsWith(`${at}/`)) return null;
    const kind = this.#kind(at);
    return kind === null || kind === 'directory' ? null : at;
  }

  #hasFileParent(path: string): boolean {
    for (let at = parentOf(path); at !== ''; at = parentOf(at)) {
      const kind = this.#kind(at);
      if (kind !== null) return kind !== 'directory';
    }
    return false;
  }

  #makeParents(path: string): void {
    if (path !== '') this.#makeParents(parentOf(path));
    const kind = this.#kind(path);
    if (kind === 'directory') {
      if (!this.#touched.has(path)) this.#touched.set(path, 'implied');
      return;
    }
    this.#putDirectory(path, impliedMeta, 'implied');
  }

  #putDirectory(path: string, meta: Meta, how: 'member' | 'implied'): void {
    if (this.#kind(path) !== 'directory') {
      this.#remove(path);
      mkdirSync(this.#buffer(path));
    }
    this.#directories.set(path, meta);
    this.#touched.set(path, how);
  }

  #create(member: Member, path: string, linked: string | null): void {
    const at = this.#buffer(path);
    switch (member.kind) {
      case 'file':
        writeFileSync(at, member.data, { flag: 'wx' });
        break;
      case 'sparse': {
        const fd = openSync(at, 'wx');
        ftruncateSync(fd, member.size);
        for (const { offset, data } of member.runs) writeSync(fd, data, 0, data.length, offset);
        closeSync(fd);
        break;
      }
      case 'symlink':
        symlinkSync(Buffer.from(member.target, 'latin1'), at);
        break;
      case 'hardlink':
        linkSync(this.#buffer(linked ?? ''), at);
        return;
      case 'fifo':
        mknodat(AT_FDCWD, this.#bytes(path), S_IFIFO | 0o600);
        break;
      case 'char':
      case 'block': {
        const type = member.kind === 'char' ? S_IFCHR : S_IFBLK;
        mknodat(AT_FDCWD, this.#bytes(path), type | 0o600, member.major, member.minor);
        break;
      }
      default:
        throw new TypeError(`cannot create a ${member.kind}`);
    }
    this.#describe(path, member.meta, member.kind === 'symlink');
  }

  #describe(path: string, { mode, uid, gid, mtime, xattrs }: Meta, isSymlink: boolean): void {
    const at = this.#bytes(path);
    fchownat(AT_FDCWD, at, uid, gid, AT_SYMLINK_NOFOLLOW);
    for (const [name, value] of xattrs) lsetxattr(at, name, value);
    if (!isSymlink) fchmodat(AT_FDCWD, at, mode);
    utimensat(AT_FDCWD, at, mtime, mtime, AT_SYMLINK_NOFOLLOW);
  }

  /** Removes what lower layers have at a path; what this layer put there or below stays. */
  #hide(path: string): void {
    const kind = this.#kind(path);
    if (kind === null) return;
    if (!this.#touched.has(path)) {
      this.#remove(path);
      return;
    }
    if (kind !== 'directory') return;
    if (this.#touched.get(path) === 'implied') this.#directories.set(path, impliedMeta);
    for (const name of this.#children(path)) this.#hide(join(path, name));
  }

  #hideChildren(path: string): boolean {
    const at = this.#resolve(path);
    if (at === null) return false;
    if (this.#kind(at) === 'directory') for (const name of this.#children(at)) this.#hide(join(at, name));
    return true;
  }

  #remove(path: string): void {
    const kind = this.#kind(path);
    if (kind === null) return;
    if (kind !== 'directory') unlinkSync(this.#buffer(path));
    else {
      for (const name of this.#children(path)) this.#remove(join(path, name));
      rmdirSync(this.#buffer(path));
    }
    this.#directories.delete(path);
    this.#touched.delete(path);
  }

  #kind(path: string): Kind {
    try {
      const status = lstatSync(this.#buffer(path));
      if (status.isDirectory()) return 'directory';
      return status.isSymbolicLink() ? 'symlink' : 'other';
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null;
      throw error;
    }
  }

  #children(path: string): string[] {
    return readdirSync(this.#buffer(path), { encoding: 'latin1' }).sort();
  }

  #bytes(path: string): Bytes {
    return `${bytes(this.#root)}/${path}` as Bytes;
  }

  #buffer(path: string): Buffer {
    return Buffer.from(this.#bytes(path), 'latin1');
  }
}

function join(parent: string, name: string): string {
  return parent === '' ? name : `${parent}/${name}`;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
