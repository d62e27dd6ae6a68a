/** Symlinks, followed the way the kernel does it in a chroot: nothing leads outside the root. */
import type { Bytes, LayerPath } from '../bytes.js';
import { limits } from '../limits.js';
import type { MergedDirectory } from './directory.js';
import type { StackEntry } from './entry.js';
import type { Layers } from './layers.js';

export interface Resolved {
  /** No component but the last can be a symlink, and the last only where it was not to be followed. */
  readonly path: LayerPath;
  /** null where the last component does not exist. */
  readonly entry: StackEntry | null;
}

/** null where a component before the last is missing or no directory, or after 40 symlinks (ENOENT, ENOTDIR, ELOOP). */
export function resolveFrom(
  layers: Layers,
  root: StackEntry,
  path: Bytes,
  followLast: boolean,
): Resolved | null {
  const pending = path.split('/').reverse() as Bytes[];
  const names: Bytes[] = [];
  const entries: StackEntry[] = [];
  const here = (): StackEntry => entries.at(-1) ?? root;
  const pathOf = (...last: Bytes[]): LayerPath => [...names, ...last].join('/') as LayerPath;
  let followed = 0;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const directory: MergedDirectory | null = here().directory;
    if (directory === null) return null;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      names.pop();
      entries.pop();
      continue;
    }
    const entry = directory.child(name);
    const last = pending.length === 0;
    if (entry === null) return last ? { path: pathOf(name), entry } : null;
    const index = layers.at(entry.layer);
    if (index.kind(entry.record) === 'symlink' && (followLast || !last)) {
      if (++followed > limits.symlinksFollowed) return null;
      const target = index.target(entry.record);
      if (target.startsWith('/')) names.length = entries.length = 0;
      pending.push(...(target.split('/').reverse() as Bytes[]));
      continue;
    }
    names.push(name);
    entries.push(entry);
  }
  return { path: pathOf(), entry: here() };
}
