/**
 * Applies a layer's entries, in the order of the tar, to a tree in memory, and tells a sink what that means for
 * a disk. All of the meaning of a layer is here (OCI image-spec, layer.md), and no file is touched: the unpacked
 * form has a sink that writes, the packed form needs none.
 *
 * - Later entries replace earlier ones; a directory over a directory replaces its attributes.
 * - Whiteouts and opaque marks act on the layers below alone, whatever the order, and make nothing that can be seen. A
 *   directory with a whiteout of its own, or in the place of something else, starts empty: it is opaque.
 * - Paths are resolved inside the layer: symlinks of this layer, or of the layers below where those are known, are
 *   followed in parents, never in the last component, and never out of the root.
 */
import { baseOf, bytes, display, joinPath, parentOf, type Bytes, type LayerPath } from '../bytes.js';
import { LayerfsError, codeOf } from '../errors.js';
import { limits } from '../limits.js';
import type { Entry, HardlinkEntry, Meta, OpaqueEntry, WhiteoutEntry } from './entry.js';
import { Links } from './links.js';
import type { Lower, LowerNode } from './lower.js';
import {
  hidesLower,
  isAttached,
  pathOf,
  type DirectoryNode,
  type FileNode,
  type HardlinkNode,
  type InodeNode,
  type LayerNode,
  type WhiteoutNode,
} from './node.js';
import { walkPath, type Walked } from './walk-path.js';

/** What applying a layer asks of a disk. Metadata of directories comes at the very end, so not here. */
export interface TreeSink {
  directory(node: DirectoryNode): void;
  /** The node and everything below it. */
  remove(node: LayerNode): void;
  /** An empty file that the data which follow belong to. */
  file(node: FileNode): void;
  /** A symlink, device or fifo. */
  special(node: Exclude<InodeNode, FileNode>): void;
  whiteout(node: WhiteoutNode): void;
  hardlink(node: HardlinkNode, inode: InodeNode): void;
  /** `node` is a copy of what the layers below have at `from`. */
  copyUp(node: InodeNode, from: LayerPath): void;
}

const noXattrs: ReadonlyMap<Bytes, Buffer> = new Map();

/** What a directory gets that no entry and no lower layer describes. */
export const impliedMeta: Meta = { mode: 0o755, uid: 0, gid: 0, mtime: 0n, xattrs: noXattrs };

function newDirectory(name: Bytes, parent: DirectoryNode | null, meta: Meta): DirectoryNode {
  return { kind: 'directory', name, parent, meta, children: new Map(), opaque: false, implied: true };
}

export class LayerTree {
  readonly root: DirectoryNode = newDirectory(bytes(''), null, impliedMeta);
  readonly #sink: TreeSink;
  /** null: not known yet. Then implied directories and links to lower files stay open questions of the index. */
  readonly #lower: Lower | null;
  #entries = 0;
  /** The last parent asked for: tars go directory by directory. Forgotten as soon as a directory goes away. */
  #lastPath: LayerPath | null = null;
  #lastParent: DirectoryNode = this.root;
  readonly #links = new Links();
  #dataReplaced = false;
  #dependsOnLower = false;

  constructor(sink: TreeSink, lower: Lower | null) {
    this.#sink = sink;
    this.#lower = lower;
  }

  /** True where a later entry replaced the data of an earlier one: then the tree does not hold all of the tar's data. */
  get dataReplaced(): boolean {
    return this.#dataReplaced;
  }

  /**
   * True where the layer means something else on other layers: a directory without an entry may have other attributes
   * there, or be a symlink; a hardlink may lead there. As long as they are not known the tree is then only a guess.
   */
  get dependsOnLower(): boolean {
    return this.#dependsOnLower;
  }

  /**
   * Applies one entry. `dataOffset` is where a file's data begins in the uncompressed tar.
   * @returns the file's node, for the data and the hash that follow; null for every other kind.
   * @throws LayerfsError ENTRY_INVALID, LIMIT_EXCEEDED; whatever the sink throws
   */
  put(entry: Entry, dataOffset: number): FileNode | null {
    this.#entries += 1;
    if (this.#entries > limits.layerEntries) {
      throw new LayerfsError('LIMIT_EXCEEDED', `the layer has more than ${limits.layerEntries} entries`);
    }
    try {
      return this.#put(entry, dataOffset);
    } catch (error) {
      // A wrong guess must not refuse a layer: the entry is judged when the layers below are known.
      if (this.#lower !== null || !this.#dependsOnLower || codeOf(error) !== 'ENTRY_INVALID') throw error;
      return null;
    }
  }

  #put(entry: Entry, dataOffset: number): FileNode | null {
    if (entry.path === '') {
      this.#putRoot(entry);
      return null;
    }
    if (entry.kind === 'opaque' || entry.kind === 'whiteout') {
      this.#putMark(entry);
      return null;
    }
    const parent = this.#parentAt(parentOf(entry.path));
    const name = baseOf(entry.path);
    switch (entry.kind) {
      case 'directory':
        this.#putDirectory(parent, name, entry.meta);
        return null;
      case 'hardlink':
        this.#putHardlink(parent, name, entry);
        return null;
      case 'file': {
        this.#clear(parent, name);
        const { meta, size, extents } = entry;
        const node: FileNode = {
          kind: 'file',
          name,
          parent,
          meta,
          size,
          extents,
          contentHash: 0n,
          dataOffset,
        };
        parent.children.set(name, node);
        this.#sink.file(node);
        return node;
      }
      case 'symlink':
        this.#addSpecial(parent, { kind: 'symlink', name, parent, meta: entry.meta, target: entry.target });
        return null;
      case 'fifo':
        this.#addSpecial(parent, { kind: 'fifo', name, parent, meta: entry.meta });
        return null;
      case 'char':
      case 'block': {
        const { kind, meta, major, minor } = entry;
        this.#addSpecial(parent, { kind, name, parent, meta, major, minor });
        return null;
      }
    }
  }

  #putRoot(entry: Entry): void {
    if (entry.kind === 'opaque') {
      this.#makeOpaque(this.root);
    } else if (entry.kind === 'directory') {
      this.root.meta = entry.meta;
      this.root.implied = false;
    } else {
      throw new LayerfsError('ENTRY_INVALID', `the root of the layer cannot be a ${entry.kind}`);
    }
  }

  #addSpecial(parent: DirectoryNode, node: Exclude<InodeNode, FileNode>): void {
    this.#clear(parent, node.name);
    parent.children.set(node.name, node);
    this.#sink.special(node);
  }

  #putDirectory(parent: DirectoryNode, name: Bytes, meta: Meta): void {
    const existing = parent.children.get(name);
    if (existing?.kind === 'directory') {
      existing.meta = meta;
      existing.implied = false;
      return;
    }
    this.#addDirectory(parent, name, meta, false);
  }

  /** A new directory. What stood there, a whiteout too, had hidden the layers below, and so does the directory. */
  #addDirectory(parent: DirectoryNode, name: Bytes, meta: Meta, implied: boolean): DirectoryNode {
    const directory = newDirectory(name, parent, meta);
    directory.opaque = this.#clear(parent, name);
    directory.implied = implied;
    parent.children.set(name, directory);
    this.#sink.directory(directory);
    return directory;
  }

  /** Hides something of the layers below, and never makes anything that can be seen. */
  #putMark({ kind, path }: WhiteoutEntry | OpaqueEntry): void {
    const directory = this.#markedDirectory(kind === 'opaque' ? path : parentOf(path));
    if (directory === null) return;
    if (kind === 'opaque') this.#makeOpaque(directory);
    else this.#putWhiteout(directory, baseOf(path));
  }

  /** The directory at a path, or null where the layers below show none that this layer does not hide already. */
  #markedDirectory(path: LayerPath): DirectoryNode | null {
    if (path === this.#lastPath) return this.#lastParent;
    const { directory, rest, path: resolved } = walkPath(this.root, this.#lower, path, true);
    const [next] = rest;
    if (next === undefined) return directory;
    if (directory.children.has(next) || hidesLower(directory)) return null;
    this.#dependsOnLower = true;
    if (this.#lower !== null && this.#lower.lookup(resolved)?.kind !== 'directory') return null;
    return this.#parentAt(path);
  }

  #putWhiteout(parent: DirectoryNode, name: Bytes): void {
    const existing = parent.children.get(name);
    if (existing?.kind === 'directory' && this.#links.isOwn(existing)) {
      this.#makeNew(existing);
      this.#makeOpaque(existing);
      return;
    }
    // Anything else of this layer hides the layers below already, and so does an opaque directory above.
    if (hidesLower(parent) || existing?.kind === 'whiteout') return;
    if (existing !== undefined && this.#links.isOwn(existing)) return;
    this.#clear(parent, name);
    const node: WhiteoutNode = { kind: 'whiteout', name, parent };
    parent.children.set(name, node);
    this.#sink.whiteout(node);
  }

  #makeOpaque(directory: DirectoryNode): void {
    if (directory.opaque) return;
    directory.opaque = true;
    this.#hideLower(directory);
  }

  /** Takes out what was there for the layers below alone: whiteouts (the kernel would list them), copies, attributes. */
  #hideLower(directory: DirectoryNode): void {
    for (const name of [...directory.children.keys()]) {
      // Taking one away can put another in the place of the next.
      const child = directory.children.get(name);
      if (child !== undefined && !this.#links.isOwn(child)) {
        this.#remove(child);
      } else if (child?.kind === 'directory') {
        this.#makeNew(child);
        this.#hideLower(child);
      }
    }
  }

  /** A directory without an entry does not look like the one below if that cannot be seen. */
  #makeNew(directory: DirectoryNode): void {
    if (!directory.implied) return;
    directory.implied = false;
    directory.meta = impliedMeta;
  }

  #putHardlink(parent: DirectoryNode, name: Bytes, entry: HardlinkEntry): void {
    const path = joinPath(pathOf(parent), name);
    const target = walkPath(this.root, this.#lower, entry.target, false);
    if (target.path === path) throw this.#badLink(entry, 'it links to itself');
    if (target.path.startsWith(`${path}/`)) {
      throw this.#badLink(entry, 'it would replace the directory that its target is in');
    }
    let to = this.#inodeAt(target, entry);
    if (typeof to !== 'string' && to.parent === parent && to.name === name) return;
    // The first name of the inode may go, but not the name that is the target.
    if (this.#clear(parent, name) && typeof to !== 'string' && !isAttached(to)) {
      to = this.#inodeAt(walkPath(this.root, this.#lower, entry.target, false), entry);
    }
    this.#link(parent, name, to);
  }

  #badLink(entry: HardlinkEntry, why: string): LayerfsError {
    return new LayerfsError(
      'ENTRY_INVALID',
      `hardlink ${display(entry.path)} to ${display(entry.target)}: ${why}`,
      { detail: { path: entry.path, target: entry.target } },
    );
  }

  #link(parent: DirectoryNode, name: Bytes, to: InodeNode | LayerPath): HardlinkNode {
    const node: HardlinkNode = { kind: 'hardlink', name, parent, to };
    parent.children.set(name, node);
    if (typeof to === 'string') return node;
    this.#links.add(node, to);
    this.#sink.hardlink(node, to);
    return node;
  }

  /**
   * The inode that a hardlink's target names, copied up from below if need be; the path itself where the layers
   * below are not known.
   */
  #inodeAt({ directory, rest, path }: Walked, entry: HardlinkEntry): InodeNode | LayerPath {
    const name = rest[0];
    if (name === undefined) throw this.#badLink(entry, 'a directory cannot be linked');
    const own = directory.children.get(name);
    if (own === undefined && !hidesLower(directory)) {
      this.#dependsOnLower = true;
      if (this.#lower === null) return path;
      const below = this.#lower.lookup(path);
      if (below?.kind === 'directory') throw this.#badLink(entry, 'a directory cannot be linked');
      if (below !== null) return this.#copyUp(below, path);
    } else if (
      own !== undefined &&
      own.kind !== 'whiteout' &&
      own.kind !== 'directory' &&
      rest.length === 1
    ) {
      return own.kind === 'hardlink' ? own.to : own;
    }
    throw this.#badLink(entry, 'there is no such file in the layer or below it');
  }

  #copyUp(below: Exclude<LowerNode, { kind: 'directory' }>, path: LayerPath): InodeNode {
    const parent = this.#parentAt(parentOf(path));
    const name = baseOf(path);
    const node: InodeNode = { ...below.inode, name, parent };
    if (node.kind === 'file') node.dataOffset = -1;
    parent.children.set(name, node);
    this.#links.markCopy(node);
    this.#sink.copyUp(node, path);
    // The file's other names below would keep the old inode: they come along where they can still be seen.
    for (const other of below.names()) {
      if (other !== path && this.#showsLower(other)) {
        this.#links.markCopy(this.#link(this.#parentAt(parentOf(other)), baseOf(other), node));
      }
    }
    return node;
  }

  /** True where what the layers below have at a path, taken literally, can be seen through this layer. */
  #showsLower(path: LayerPath): boolean {
    let at: LayerNode | undefined = this.root;
    for (const name of path.split('/') as Bytes[]) {
      if (at.kind !== 'directory' || at.opaque) return false;
      at = at.children.get(name);
      if (at === undefined) return true;
    }
    return false;
  }

  /** Takes away what is at a name. @returns whether there was something. */
  #clear(parent: DirectoryNode, name: Bytes): boolean {
    const existing = parent.children.get(name);
    if (existing === undefined) return false;
    this.#remove(existing);
    return true;
  }

  #remove(node: LayerNode): void {
    if (node.kind === 'directory') this.#lastPath = null;
    node.parent?.children.delete(node.name);
    // A link to what is not known yet has never been made.
    if (node.kind !== 'hardlink' || typeof node.to !== 'string') this.#sink.remove(node);
    for (const gone of this.#links.removed(node)) {
      if (gone.kind === 'file' && gone.size > 0 && gone.dataOffset >= 0) this.#dataReplaced = true;
    }
  }

  #parentAt(path: LayerPath): DirectoryNode {
    if (path === this.#lastPath) return this.#lastParent;
    const directory = this.#directoryAt(path);
    // Only a path without symlinks stays where it is until a directory is removed.
    if (pathOf(directory) === path) {
      this.#lastPath = path;
      this.#lastParent = directory;
    }
    return directory;
  }

  /** The directory at a path, symlinks followed; what is missing on the way, and what is no directory, becomes one. */
  #directoryAt(path: LayerPath): DirectoryNode {
    const { directory, rest } = walkPath(this.root, this.#lower, path, true);
    let at = directory;
    for (const name of rest) {
      const isNew = at.children.has(name) || hidesLower(at);
      at = this.#addDirectory(at, name, isNew ? impliedMeta : this.#metaBelow(at, name), !isNew);
    }
    return at;
  }

  #metaBelow(parent: DirectoryNode, name: Bytes): Meta {
    this.#dependsOnLower = true;
    const below = this.#lower?.lookup(joinPath(pathOf(parent), name));
    return below?.kind === 'directory' ? below.meta : impliedMeta;
  }
}
