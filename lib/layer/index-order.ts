/** A tree's nodes in the order of a layer index, and which of them share an inode. */
import type { DirectoryNode, InodeNode, LayerNode } from './node.js';

export interface NumberedNode {
  readonly node: LayerNode;
  /** The number of its directory; 0 for the root. */
  readonly parent: number;
  /** Nothing of the layers below shows here: a directory above it is opaque. */
  readonly covered: boolean;
}

function byName(a: LayerNode, b: LayerNode): number {
  return a.name < b.name ? -1 : 1;
}

/** Breadth first: the children of a directory lie together, by the bytes of their names. */
export function breadthFirst(root: DirectoryNode): NumberedNode[] {
  const numbered: NumberedNode[] = [{ node: root, parent: 0, covered: false }];
  for (let parent = 0; parent < numbered.length; parent++) {
    const entry = numbered[parent];
    if (entry?.node.kind !== 'directory') continue;
    const covered = entry.covered || entry.node.opaque;
    const children = [...entry.node.children.values()].sort(byName);
    for (const node of children) numbered.push({ node, parent, covered });
  }
  return numbered;
}

/** The names of one inode. */
export interface InodeGroup {
  /** The record that describes the inode. */
  holder: number;
  /** The other names, ascending. */
  readonly others: number[];
}

/** The inodes that hardlinks name. One that is not in the tree itself is held by the first of its links. */
export function inodeGroups(numbered: readonly NumberedNode[]): Map<InodeNode, InodeGroup> {
  const groups = new Map<InodeNode, InodeGroup>();
  numbered.forEach(({ node }, record) => {
    if (node.kind !== 'hardlink' || typeof node.to === 'string') return;
    const group = groups.get(node.to);
    if (group === undefined) groups.set(node.to, { holder: -1, others: [record] });
    else group.others.push(record);
  });
  if (groups.size === 0) return groups;
  numbered.forEach(({ node }, record) => {
    if (node.kind === 'hardlink' || node.kind === 'directory' || node.kind === 'whiteout') return;
    const group = groups.get(node);
    if (group !== undefined) group.holder = record;
  });
  for (const group of groups.values()) {
    if (group.holder < 0) group.holder = group.others.shift() ?? -1;
  }
  return groups;
}
