/**
 * Writes a layer as a directory in the overlayfs upper format: what lib/layer/tree asks for, done on a disk.
 *
 * Everything is done relative to the descriptor of the directory that holds it, one component at a time, and no
 * component may be a symlink or a mount: there is no path that could lead out (lib/layer/tree has resolved them).
 * Files are created anew, never opened; metadata goes through the descriptor in the order that sticks: owner, then
 * xattrs, then mode, then times. Directories get theirs at the very end, so that neither a setgid bit nor a default
 * ACL nor a later entry changes what is below or in them.
 */
import { ftruncateSync, writeSync } from 'node:fs';
import { bytes, type Bytes, type HostPath, type LayerPath } from '../bytes.js';
import { LayerfsError, codeOf } from '../errors.js';
import { removeTreeAt } from '../fs/remove.js';
import { setMetadata, setMetadataAt } from '../fs/set-metadata.js';
import type { Extent } from '../layer/entry.js';
import type {
  DirectoryNode,
  FileNode,
  HardlinkNode,
  InodeNode,
  LayerNode,
  WhiteoutNode,
} from '../layer/node.js';
import type { TreeSink } from '../layer/tree.js';
import {
  AT_FDCWD,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_WRONLY,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  close,
  fsetxattr,
  linkat,
  mkdirat,
  mknodat,
  openat,
  openat2,
  symlinkat,
} from '../sys/index.js';
import { opaqueXattr, originUnknownXattr, whiteoutDevice, xattrToDisk } from './marks.js';

/** Descriptors of directories kept open: tars go directory by directory, so few are enough. */
const openDirectories = 128;

const how = {
  flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
  resolve: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
};

/** Puts a copy of what the layers below have at `from` at `name`, contents and xattrs and all, but no metadata. */
export type CopyUp = (node: InodeNode, from: LayerPath, directory: number) => void;

export class LayerUnpacker implements TreeSink, Disposable {
  readonly #root: number;
  readonly #copyUp: CopyUp;
  #disposed = false;
  /** By node, the least recently used first: a directory that is replaced takes its descriptor along. */
  readonly #directories = new Map<DirectoryNode, number>();
  #file: { fd: number; node: FileNode; position: number; extent: number } | null = null;

  /** @param directory an existing, empty directory that nobody else writes to */
  constructor(directory: HostPath, copyUp: CopyUp) {
    this.#root = openat(AT_FDCWD, bytes(directory), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    this.#copyUp = copyUp;
  }

  /** Closes every descriptor. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#file !== null) close(this.#file.fd);
    this.#file = null;
    for (const fd of this.#directories.values()) close(fd);
    this.#directories.clear();
    if (!this.#disposed) close(this.#root);
    this.#disposed = true;
  }

  directory(node: DirectoryNode): void {
    this.#trim();
    mkdirat(this.#parent(node), node.name, 0o700);
  }

  remove(node: LayerNode): void {
    const parent = this.#parent(node);
    if (node.kind === 'directory') this.#forget(node);
    removeTreeAt(parent, node.name);
  }

  file(node: FileNode): void {
    this.#trim();
    const fd = openat(this.#parent(node), node.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    this.#file = { fd, node, position: 0, extent: 0 };
  }

  /** The next bytes of the file that `file` began; of a sparse one, of its extents in order. */
  data(chunk: Buffer): void {
    const file = this.#file;
    if (file === null) throw new TypeError('data without a file');
    if (file.node.extents === null) {
      file.position += writeAll(file.fd, chunk, file.position);
      return;
    }
    let rest = chunk;
    while (rest.length > 0) {
      const extent: Extent | undefined = file.node.extents[file.extent];
      if (extent === undefined) throw new TypeError('more data than extents');
      const part = rest.subarray(0, extent.size - file.position);
      file.position += writeAll(file.fd, part, extent.offset + file.position);
      rest = rest.subarray(part.length);
      if (file.position === extent.size) {
        file.extent += 1;
        file.position = 0;
      }
    }
  }

  fileEnd(): void {
    const file = this.#file;
    if (file === null) throw new TypeError('fileEnd without a file');
    this.#file = null;
    try {
      if (file.node.extents !== null) ftruncateSync(file.fd, file.node.size);
      setMetadata(file.fd, file.node.meta, xattrToDisk);
    } finally {
      close(file.fd);
    }
  }

  special(node: Exclude<InodeNode, FileNode>): void {
    this.#trim();
    const parent = this.#parent(node);
    switch (node.kind) {
      case 'symlink':
        symlinkat(node.target, parent, node.name);
        break;
      case 'fifo':
        mknodat(parent, node.name, S_IFIFO | 0o600, 0, 0);
        break;
      case 'char':
      case 'block':
        mknodat(
          parent,
          node.name,
          (node.kind === 'char' ? S_IFCHR : S_IFBLK) | 0o600,
          node.major,
          node.minor,
        );
    }
    setMetadataAt(parent, node.name, node.kind, node.meta, xattrToDisk);
  }

  whiteout(node: WhiteoutNode): void {
    this.#trim();
    const { mode, major, minor } = whiteoutDevice;
    mknodat(this.#parent(node), node.name, S_IFCHR | mode, major, minor);
  }

  hardlink(node: HardlinkNode, inode: InodeNode): void {
    this.#trim();
    linkat(this.#parent(inode), inode.name, this.#parent(node), node.name);
  }

  copyUp(node: InodeNode, from: LayerPath): void {
    if (node.kind !== 'file') {
      this.special(node);
      return;
    }
    const parent = this.#parent(node);
    this.#copyUp(node, from, parent);
    setMetadataAt(parent, node.name, node.kind, node.meta, xattrToDisk);
  }

  /** Sets what directories look like, and their marks. The tree is complete after it, though not yet durable. */
  finish(root: DirectoryNode): void {
    for (const fd of this.#directories.values()) close(fd);
    this.#directories.clear();
    finishDirectory(this.#root, root);
  }

  #parent(node: LayerNode): number {
    return node.parent === null ? this.#root : this.#open(node.parent);
  }

  #open(node: DirectoryNode): number {
    if (node.parent === null) return this.#root;
    const known = this.#directories.get(node);
    if (known !== undefined) {
      this.#directories.delete(node);
      this.#directories.set(node, known);
      return known;
    }
    const fd = openat2(this.#open(node.parent), node.name, how);
    this.#directories.set(node, fd);
    return fd;
  }

  /** Called between operations, never within one: an operation may need two descriptors and those above them. */
  #trim(): void {
    for (const [node, fd] of this.#directories) {
      if (this.#directories.size <= openDirectories) return;
      close(fd);
      this.#directories.delete(node);
    }
  }

  #forget(directory: DirectoryNode): void {
    for (const [node, fd] of this.#directories) {
      for (let at: DirectoryNode | null = node; at !== null; at = at.parent) {
        if (at !== directory) continue;
        close(fd);
        this.#directories.delete(node);
        break;
      }
    }
  }
}

function writeAll(fd: number, chunk: Buffer, position: number): number {
  let written = 0;
  while (written < chunk.length) {
    written += writeSync(fd, chunk, written, chunk.length - written, position + written);
  }
  return written;
}

function finishDirectory(fd: number, node: DirectoryNode): void {
  let whiteouts = false;
  for (const child of node.children.values()) {
    if (child.kind === 'whiteout') whiteouts = true;
    if (child.kind !== 'directory') continue;
    const below = openat2(fd, child.name, how);
    try {
      finishDirectory(below, child);
    } finally {
      close(below);
    }
  }
  if (node.opaque) setMark(fd, opaqueXattr);
  if (whiteouts) setMark(fd, originUnknownXattr);
  setMetadata(fd, node.meta, xattrToDisk);
}

function setMark(fd: number, { name, value }: { name: Bytes; value: Buffer }): void {
  try {
    fsetxattr(fd, name, value);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error;
    throw new LayerfsError(
      'PERMISSION',
      `${name}: overlayfs' marks need CAP_SYS_ADMIN outside user namespaces`,
      {
        cause: error,
      },
    );
  }
}
