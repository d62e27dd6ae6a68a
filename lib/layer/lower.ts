/** What the layers below show, as applying one more layer asks for it. */
import type { LayerPath } from '../bytes.js';
import type { Meta } from './entry.js';
import type { Inode } from './node.js';

/** Something that the layers below show at a path; `names` are all the visible names of an inode. */
export type LowerNode =
  | { readonly kind: 'directory'; readonly meta: Meta }
  | { readonly kind: 'inode'; readonly inode: Inode; names(): readonly LayerPath[] };

/** What the layers below show. `lookup` follows no symlink. */
export interface Lower {
  lookup(path: LayerPath): LowerNode | null;
}

/** There is nothing below: the bottom layer. */
export const emptyLower: Lower = { lookup: () => null };
