/** Paths inside a layer that is being made, resolved in memory: there is nothing to escape to. */
import { bytes, display, joinPath, type Bytes, type LayerPath } from '../bytes.js';
import { LayerfsError } from '../errors.js';
import { limits } from '../limits.js';
import type { Lower } from './lower.js';
import { hidesLower, pathOf, type DirectoryNode, type LayerNode } from './node.js';

export interface Walked {
  /** How far this layer has directories. */
  readonly directory: DirectoryNode;
  /** What is left of the path from there: nothing of it is a directory of this layer. */
  readonly rest: readonly Bytes[];
  /** The whole path, symlinks resolved. */
  readonly path: LayerPath;
}

const dot = bytes('.');
const dotDot = bytes('..');

function components(path: Bytes): Bytes[] {
  return path.split('/').filter((name) => name !== '' && name !== dot) as Bytes[];
}

/**
 * Follows a path as far as this layer has directories: symlinks of this layer and of those below, where they are known,
 * and never out of the root; one as the last component only if `followLast`.
 * @throws LayerfsError ENTRY_INVALID after 40 symlinks
 */
export function walkPath(
  root: DirectoryNode,
  lower: Lower | null,
  path: LayerPath,
  followLast: boolean,
): Walked {
  let at = root;
  let rest: Bytes[] = [];
  const todo = components(path).reverse();
  let followed = 0;
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (name === dotDot) {
      if (rest.length > 0) rest.pop();
      else at = at.parent ?? at;
      continue;
    }
    const child = rest.length > 0 ? undefined : at.children.get(name);
    if (child?.kind === 'directory') {
      at = child;
      continue;
    }
    const target = todo.length > 0 || followLast ? symlinkAt(lower, at, rest, name, child) : null;
    if (target === null) {
      rest.push(name);
      continue;
    }
    followed += 1;
    if (followed > limits.symlinksFollowed) {
      throw new LayerfsError('ENTRY_INVALID', `${display(path)}: too many symlinks`, { detail: { path } });
    }
    if (target.startsWith('/')) {
      at = root;
      rest = [];
    }
    todo.push(...components(target).reverse());
  }
  let resolved = pathOf(at);
  for (const name of rest) resolved = joinPath(resolved, name);
  return { directory: at, rest, path: resolved };
}

function symlinkAt(
  lower: Lower | null,
  at: DirectoryNode,
  rest: readonly Bytes[],
  name: Bytes,
  child: LayerNode | undefined,
): Bytes | null {
  if (child !== undefined) return symlinkTarget(child);
  if (lower === null || hidesLower(at)) return null;
  const [first] = rest;
  if (first !== undefined && at.children.has(first)) return null;
  let path = pathOf(at);
  for (const part of rest) path = joinPath(path, part);
  const below = lower.lookup(joinPath(path, name));
  return below?.kind === 'inode' && below.inode.kind === 'symlink' ? below.inode.target : null;
}

function symlinkTarget(node: LayerNode): Bytes | null {
  const inode = node.kind === 'hardlink' ? node.to : node;
  return typeof inode !== 'string' && inode.kind === 'symlink' ? inode.target : null;
}
