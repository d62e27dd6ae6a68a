/**
 * A layer as a tree in memory: what the extractor builds while it reads a tar, and what the layer index
 * is written from. Later entries have replaced earlier ones; every path is resolved inside the layer.
 */
import { joinPath, rootPath, type Bytes, type LayerPath } from '../bytes.js';
import type { Extent, Meta } from './entry.js';

export type NodeKind = 'directory' | 'file' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo' | 'whiteout';

interface NodeBase {
  readonly kind: NodeKind;
  /** `''` for the root. */
  readonly name: Bytes;
  readonly parent: DirectoryNode | null;
}

/** Everything but the root is in a directory. */
interface ChildNode extends NodeBase {
  readonly parent: DirectoryNode;
}

export interface DirectoryNode extends NodeBase {
  readonly kind: 'directory';
  meta: Meta;
  readonly children: Map<Bytes, LayerNode>;
  /** Hides what the layers below have in this directory. */
  opaque: boolean;
  /** No entry of its own: it is there because something below it is. Its meta is the layer below's, where there is one. */
  implied: boolean;
}

export interface FileNode extends ChildNode {
  readonly kind: 'file';
  meta: Meta;
  /** Length in bytes, holes included. */
  size: number;
  extents: readonly Extent[] | null;
  /** xxh64 (seed 0) of the data; of a sparse file, of its extents one after the other. */
  contentHash: bigint;
  /** Where the member's data begins in the uncompressed tar; -1 where it is not there (copied from a layer below). */
  dataOffset: number;
}

export interface SymlinkNode extends ChildNode {
  readonly kind: 'symlink';
  meta: Meta;
  readonly target: Bytes;
}

export interface DeviceNode extends ChildNode {
  readonly kind: 'char' | 'block';
  meta: Meta;
  readonly major: number;
  readonly minor: number;
}

export interface FifoNode extends ChildNode {
  readonly kind: 'fifo';
  meta: Meta;
}

/** A further name: `to` is the node that holds the inode, or the path of a file in a layer below. */
export interface HardlinkNode extends ChildNode {
  readonly kind: 'hardlink';
  readonly to: InodeNode | LayerPath;
}

export interface WhiteoutNode extends ChildNode {
  readonly kind: 'whiteout';
}

/** What a hardlink can name. */
export type InodeNode = FileNode | SymlinkNode | DeviceNode | FifoNode;

type WithoutPlace<T> = T extends unknown ? Omit<T, 'name' | 'parent'> : never;

/** An inode apart from where it is in a tree. */
export type Inode = WithoutPlace<InodeNode>;

export type LayerNode = DirectoryNode | InodeNode | HardlinkNode | WhiteoutNode;

export function pathOf(node: LayerNode): LayerPath {
  if (node.parent === null) return rootPath;
  return joinPath(pathOf(node.parent), node.name);
}

/** True where nothing of the layers below can be seen in `directory`. */
export function hidesLower(directory: DirectoryNode): boolean {
  for (let at: DirectoryNode | null = directory; at !== null; at = at.parent) if (at.opaque) return true;
  return false;
}

/** False once the node, or a directory above it, has been taken out of the tree. */
export function isAttached(node: LayerNode): boolean {
  for (let at = node; at.parent !== null; at = at.parent) {
    if (at.parent.children.get(at.name) !== at) return false;
  }
  return true;
}
