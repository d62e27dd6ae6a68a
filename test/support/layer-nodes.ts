/** Layers as trees in memory, written down as `{ path: what is there }`. */
import { baseOf, bytes, parentOf, rootPath, type Bytes, type LayerPath } from '../../lib/bytes.js';
import type { Extent, Meta } from '../../lib/layer/entry.js';
import { encodeIndex } from '../../lib/layer/index-encode.js';
import { LayerIndex } from '../../lib/layer/layer-index.js';
import type { DirectoryNode, InodeNode, LayerNode } from '../../lib/layer/node.js';

/** Makes the node once its place is known; `at` finds nodes of the same layer. */
export type Plan = (name: Bytes, parent: DirectoryNode, at: (path: string) => LayerNode) => LayerNode;

export type MetaChanges = Partial<Omit<Meta, 'xattrs'>> & { xattrs?: Record<string, string | Buffer> };

export function meta({ xattrs = {}, ...changes }: MetaChanges = {}): Meta {
  const values = Object.entries(xattrs).map(([name, value]): [Bytes, Buffer] => [
    bytes(name),
    Buffer.from(value),
  ]);
  return { mode: 0o644, uid: 0, gid: 0, mtime: 0n, ...changes, xattrs: new Map(values) };
}

interface FileChanges extends MetaChanges {
  size?: number;
  extents?: readonly Extent[];
  contentHash?: bigint;
  dataOffset?: number;
}

export function file({
  size = 0,
  extents,
  contentHash = 0n,
  dataOffset = -1,
  ...rest
}: FileChanges = {}): Plan {
  return (name, parent) => ({
    kind: 'file',
    name,
    parent,
    meta: meta(rest),
    size,
    extents: extents ?? null,
    contentHash,
    dataOffset,
  });
}

export function symlink(target: string, changes: MetaChanges = {}): Plan {
  return (name, parent) => ({
    kind: 'symlink',
    name,
    parent,
    meta: meta({ mode: 0o777, ...changes }),
    target: target as Bytes,
  });
}

export function device(
  kind: 'char' | 'block',
  major: number,
  minor: number,
  changes: MetaChanges = {},
): Plan {
  return (name, parent) => ({ kind, name, parent, meta: meta(changes), major, minor });
}

export function fifo(changes: MetaChanges = {}): Plan {
  return (name, parent) => ({ kind: 'fifo', name, parent, meta: meta(changes) });
}

export function whiteout(): Plan {
  return (name, parent) => ({ kind: 'whiteout', name, parent });
}

/** One more name for an inode of the layer; the target is written down before. */
export function hardlink(target: string): Plan {
  return (name, parent, at) => {
    const node = at(target);
    return { kind: 'hardlink', name, parent, to: node.kind === 'hardlink' ? node.to : (node as InodeNode) };
  };
}

export function lowerHardlink(target: string): Plan {
  return (name, parent) => ({ kind: 'hardlink', name, parent, to: target as LayerPath });
}

interface DirectoryChanges extends MetaChanges {
  opaque?: boolean;
  implied?: boolean;
}

function newDirectory(name: Bytes, parent: DirectoryNode | null, changes: DirectoryChanges): DirectoryNode {
  const { opaque = false, implied = false, ...rest } = changes;
  return {
    kind: 'directory',
    name,
    parent,
    meta: meta({ mode: 0o755, ...rest }),
    children: new Map(),
    opaque,
    implied,
  };
}

export function directory(changes: DirectoryChanges = {}): Plan {
  return (name, parent) => newDirectory(name, parent, changes);
}

/** Parents that are not written down are implied; the key `''` is the root. Keys are byte strings. */
export function tree(plans: Record<string, Plan>): DirectoryNode {
  const root = newDirectory(rootPath, null, { implied: true });
  const nodes = new Map<string, LayerNode>([['', root]]);
  const at = (path: string): LayerNode => {
    const node = nodes.get(path);
    if (node === undefined) throw new Error(`the test's layer has no ${path} yet`);
    return node;
  };
  const parentAt = (path: LayerPath): DirectoryNode => {
    const known = nodes.get(path);
    if (known?.kind === 'directory') return known;
    const parent = parentAt(parentOf(path));
    const implied = newDirectory(baseOf(path), parent, { implied: true });
    parent.children.set(implied.name, implied);
    nodes.set(path, implied);
    return implied;
  };
  for (const [key, plan] of Object.entries(plans)) {
    const path = key as LayerPath;
    if (path === '') {
      const { meta: rootMeta, opaque, implied } = plan(rootPath, root, at) as DirectoryNode;
      Object.assign(root, { meta: rootMeta, opaque, implied });
      continue;
    }
    const parent = parentAt(parentOf(path));
    const node = plan(baseOf(path), parent, at);
    parent.children.set(node.name, node);
    nodes.set(path, node);
  }
  return root;
}

/** The index of a layer, encoded and read back. */
export async function indexOf(plans: Record<string, Plan>, tarSize = 1_000_000): Promise<LayerIndex> {
  return LayerIndex.decode(await encodeIndex(tree(plans), { tarSize }));
}
