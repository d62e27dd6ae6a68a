/**
 * The oracle for union logic: layers applied one after another to one flat map, as an extractor does to a directory.
 * Slow and simple on purpose; it shares no code with lib/union.
 */
import type { Meta } from '../../lib/layer/entry.js';
import type { DirectoryNode, InodeNode, LayerNode } from '../../lib/layer/node.js';

/** Directories are equal by what they say, anything else by being the same node. */
export type Flat = { readonly kind: 'directory'; readonly meta: Meta } | InodeNode;

const defaults: Meta = { mode: 0o755, uid: 0, gid: 0, mtime: 0n, xattrs: new Map() };

export class FlatTree {
  readonly entries = new Map<string, Flat>();

  apply(root: DirectoryNode): void {
    const before = new Map(this.entries);
    this.#hide(root, '');
    this.#add(root, '', before);
  }

  /** In the order of walk: depth first, names by bytes. */
  paths(): string[] {
    const components = (path: string): string[] => (path === '' ? [] : path.split('/'));
    const compare = (a: string[], b: string[]): number => {
      for (let i = 0; i < Math.min(a.length, b.length); i++) {
        if (a[i] !== b[i]) return (a[i] ?? '') < (b[i] ?? '') ? -1 : 1;
      }
      return a.length - b.length;
    };
    return [...this.entries.keys()].sort((a, b) => compare(components(a), components(b)));
  }

  /** Paths that show the same node, groups of two and more. */
  linkGroups(): string[][] {
    const groups = new Map<Flat, string[]>();
    for (const path of this.paths()) {
      const entry = this.entries.get(path);
      if (entry === undefined || entry.kind === 'directory') continue;
      const group = groups.get(entry);
      if (group === undefined) groups.set(entry, [path]);
      else group.push(path);
    }
    return [...groups.values()].filter((paths) => paths.length > 1);
  }

  /** Whiteouts and opaque directories come first: they mean the layers below, whatever else the layer has. */
  #hide(node: LayerNode, path: string): void {
    if (node.kind === 'whiteout') this.#remove(path);
    if (node.kind !== 'directory') return;
    if (node.opaque) this.#removeBelow(path);
    for (const child of node.children.values()) this.#hide(child, join(path, child.name));
  }

  #add(node: LayerNode, path: string, before: ReadonlyMap<string, Flat>): void {
    if (node.kind === 'whiteout') return;
    if (node.kind === 'directory') {
      const there = this.entries.get(path);
      if (there?.kind !== 'directory') {
        this.#remove(path);
        this.entries.set(path, { kind: 'directory', meta: node.implied ? defaults : node.meta });
      } else if (!node.implied) {
        this.entries.set(path, { kind: 'directory', meta: node.meta });
      }
      for (const child of node.children.values()) this.#add(child, join(path, child.name), before);
      return;
    }
    this.#remove(path);
    const inode =
      node.kind !== 'hardlink' ? node : typeof node.to === 'string' ? before.get(node.to) : node.to;
    if (inode === undefined) throw new Error(`the test's layers have no file for the hardlink ${path}`);
    this.entries.set(path, inode);
  }

  #remove(path: string): void {
    this.entries.delete(path);
    this.#removeBelow(path);
  }

  #removeBelow(path: string): void {
    for (const other of this.entries.keys()) {
      if (other !== path && (path === '' || other.startsWith(`${path}/`))) this.entries.delete(other);
    }
  }
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}
