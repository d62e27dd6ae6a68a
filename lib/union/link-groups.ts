/** Hardlinks as a stack shows them. */
import type { LayerPath } from '../bytes.js';
import type { RecordPlace } from './entry.js';
import { keyOf } from './layers.js';
import type { Stack } from './stack.js';

/** The paths that show one inode. */
export interface LinkGroup extends RecordPlace {
  /** Two or more, in the order of `walk`. */
  readonly paths: readonly LayerPath[];
}

/** Every inode that shows under several paths, in the order of its first one. Names hidden by upper layers do not count. */
export function linkGroups(stack: Stack): LinkGroup[] {
  // A lower file of one name can gain names only through such hardlinks.
  const anyFile = stack.layers.some((layer) => layer.context.lowerHardlinks);
  const groups = new Map<number, RecordPlace & { paths: LayerPath[] }>();
  for (const { path, entry } of stack.walk()) {
    const { layer, record, directory } = entry;
    if (directory !== null) continue;
    if (!anyFile && stack.layers[layer]?.linkCount(record) === 1) continue;
    const key = keyOf(entry);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { layer, record, paths: [path] });
    else group.paths.push(path);
  }
  return [...groups.values()].filter((group) => group.paths.length > 1);
}
