/** What lib/layer/tree makes, as text; and a disk in memory that does what it asks for. */
import { joinPath, rootPath, type LayerPath } from '../../lib/bytes.js';
import {
  pathOf,
  type DirectoryNode,
  type FileNode,
  type HardlinkNode,
  type InodeNode,
  type LayerNode,
  type WhiteoutNode,
} from '../../lib/layer/node.js';
import type { TreeSink } from '../../lib/layer/tree.js';

type Inode = { readonly kind: string; readonly children: Map<string, Inode> | null };

/** Throws where a real disk would: for what is there already, is not there, or is no directory. */
export class MemoryDisk implements TreeSink {
  readonly root: Inode = { kind: 'directory', children: new Map() };
  /** What was asked for, in order: `file a/b`. */
  readonly calls: string[] = [];

  directory(node: DirectoryNode): void {
    this.#make(node, { kind: 'directory', children: new Map() });
  }

  file(node: FileNode): void {
    this.#make(node, { kind: 'file', children: null });
  }

  special(node: Exclude<InodeNode, FileNode>): void {
    this.#make(node, { kind: node.kind, children: null });
  }

  whiteout(node: WhiteoutNode): void {
    this.#make(node, { kind: 'whiteout', children: null });
  }

  copyUp(node: InodeNode, from: LayerPath): void {
    this.calls.push(`copy ${from}`);
    this.#make(node, { kind: node.kind, children: null });
  }

  hardlink(node: HardlinkNode, inode: InodeNode): void {
    this.#make(node, this.#at(inode));
  }

  remove(node: LayerNode): void {
    this.calls.push(`remove ${pathOf(node)}`);
    if (!this.#childrenOf(node).delete(node.name)) throw new Error(`nothing to remove at ${pathOf(node)}`);
  }

  /** One line for each name, as treeLines has them; a further name of an inode is told by its first. */
  lines(): string[] {
    const first = new Map<Inode, string>();
    const visit = (inode: Inode, path: LayerPath): string[] =>
      [...(inode.children ?? [])]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([name, child]) => {
          const at = joinPath(path, name as LayerPath);
          const earlier = first.get(child);
          if (earlier === undefined) first.set(child, at);
          return [`${at} ${child.kind}${earlier === undefined ? '' : ` = ${earlier}`}`, ...visit(child, at)];
        });
    return visit(this.root, rootPath);
  }

  #make(node: LayerNode, inode: Inode): void {
    this.calls.push(`${node.kind} ${pathOf(node)}`);
    const children = this.#childrenOf(node);
    if (children.has(node.name)) throw new Error(`there is something at ${pathOf(node)}`);
    children.set(node.name, inode);
  }

  #at(node: LayerNode): Inode {
    if (node.parent === null) return this.root;
    const found = this.#at(node.parent).children?.get(node.name);
    if (found === undefined) throw new Error(`nothing at ${pathOf(node)}`);
    return found;
  }

  #childrenOf({ parent }: LayerNode): Map<string, Inode> {
    const children = parent === null ? null : this.#at(parent).children;
    if (children === null) throw new Error('no directory');
    return children;
  }
}

/** The tree as a disk has to hold it: in the form of MemoryDisk.lines. Links into unknown layers are on no disk. */
export function treeLines(root: DirectoryNode): string[] {
  const first = new Map<LayerNode, string>();
  const visit = (directory: DirectoryNode, path: LayerPath): string[] =>
    sortedChildren(directory).flatMap((child) => {
      const at = joinPath(path, child.name);
      if (child.kind === 'hardlink' && typeof child.to === 'string') return [];
      const inode = child.kind === 'hardlink' ? (child.to as InodeNode) : child;
      const earlier = first.get(inode);
      if (earlier === undefined) first.set(inode, at);
      const below = child.kind === 'directory' ? visit(child, at) : [];
      return [`${at} ${inode.kind}${earlier === undefined ? '' : ` = ${earlier}`}`, ...below];
    });
  return visit(root, rootPath);
}

/**
 * What a layer says, in short: `d/`, `d/ implied`, `d/ opaque`, `f uid=1`, `l -> t`, `b = a` for a further name,
 * `b = below a` for a link into unknown layers, `x whiteout`. Owners are shown where they are not 0.
 */
export function outline(root: DirectoryNode): string[] {
  const visit = (directory: DirectoryNode, path: LayerPath): string[] =>
    sortedChildren(directory).flatMap((child) => {
      const at = joinPath(path, child.name);
      const uid = 'meta' in child && child.meta.uid !== 0 ? ` uid=${child.meta.uid}` : '';
      switch (child.kind) {
        case 'directory': {
          const marks = `${child.opaque ? ' opaque' : ''}${child.implied ? ' implied' : ''}`;
          return [`${at}/${marks}${uid}`, ...visit(child, at)];
        }
        case 'symlink':
          return [`${at} -> ${child.target}${uid}`];
        case 'hardlink':
          return [typeof child.to === 'string' ? `${at} = below ${child.to}` : `${at} = ${pathOf(child.to)}`];
        case 'file':
          return [`${at}${uid}`];
        default:
          return [`${at} ${child.kind}${uid}`];
      }
    });
  return visit(root, rootPath);
}

function sortedChildren(directory: DirectoryNode): LayerNode[] {
  return [...directory.children.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
