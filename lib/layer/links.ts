/** The names of inodes in a layer that is being made, and what becomes of an inode whose first name goes. */
import type { HardlinkNode, InodeNode, LayerNode } from './node.js';

export class Links {
  /** The further names of each inode that has any. */
  readonly #links = new Map<InodeNode, Set<HardlinkNode>>();
  /** Names that the layers below have, and this layer only because one of them was linked to. */
  readonly #copies = new Set<LayerNode>();

  add(node: HardlinkNode, to: InodeNode): void {
    const links = this.#links.get(to);
    if (links === undefined) this.#links.set(to, new Set([node]));
    else links.add(node);
  }

  /** The name is a copy of what is below, and no entry of the layer. */
  markCopy(node: InodeNode | HardlinkNode): void {
    this.#copies.add(node);
  }

  /** False for what is there for the sake of the layers below, and hidden when they are: whiteouts, copies. */
  isOwn(node: LayerNode): boolean {
    if (node.kind === 'whiteout' || this.#copies.has(node)) return false;
    if (node.kind !== 'directory' || !node.implied) return true;
    for (const child of node.children.values()) if (this.isOwn(child)) return true;
    return false;
  }

  /**
   * A node has been taken out of the tree with everything below it. Inodes that have other names live on under those.
   * @returns those that do not
   */
  removed(node: LayerNode): InodeNode[] {
    const inodes: InodeNode[] = [];
    this.#forget(node, inodes);
    return inodes.filter((inode) => !this.#promote(inode));
  }

  /** Further names below `node` are no heirs any more; inodes below it are collected. */
  #forget(node: LayerNode, inodes: InodeNode[]): void {
    if (node.kind === 'directory') {
      for (const child of node.children.values()) this.#forget(child, inodes);
    } else if (node.kind === 'hardlink') {
      if (typeof node.to !== 'string') this.#links.get(node.to)?.delete(node);
    } else if (node.kind !== 'whiteout') {
      inodes.push(node);
    }
  }

  /** Makes the next name of an inode its first. @returns false where there is none */
  #promote(gone: InodeNode): boolean {
    const [first, ...others] = this.#links.get(gone) ?? [];
    this.#links.delete(gone);
    if (first === undefined) return false;
    const heir: InodeNode = { ...gone, name: first.name, parent: first.parent };
    this.#replace(first, heir);
    for (const old of others) {
      const link: HardlinkNode = { ...old, to: heir };
      this.#replace(old, link);
      this.add(link, heir);
    }
    return true;
  }

  #replace(old: HardlinkNode, now: InodeNode | HardlinkNode): void {
    old.parent.children.set(now.name, now);
    if (this.#copies.delete(old)) this.#copies.add(now);
  }
}
