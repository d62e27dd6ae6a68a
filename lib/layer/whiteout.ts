/** Whiteout names of layer tars (OCI image-spec, layer.md; AUFS): the only place that knows `.wh.`. */
import { display, type Bytes } from '../bytes.js';
import { LayerfsError } from '../errors.js';

const prefix = '.wh.';
const aufsPrefix = '.wh..wh.';

/** The name of the marker that hides all that the layers below have in its directory. */
export const opaqueName = '.wh..wh..opq' as Bytes;

/**
 * What a file name means: a whiteout of another name, an opaque marker, AUFS' own bookkeeping (`.wh..wh.plnk`,
 * `.wh..wh.aufs` and the like, no part of the layer), or null for a name like any other.
 *
 * @throws LayerfsError ENTRY_INVALID for `.wh.`, `.wh..` and `.wh...`, which would name nothing, `.` and `..`
 */
export function parseWhiteout(name: Bytes): { readonly whiteout: Bytes } | 'opaque' | 'aufs' | null {
  if (!name.startsWith(prefix)) return null;
  if (name === opaqueName) return 'opaque';
  if (name.startsWith(aufsPrefix)) return 'aufs';
  const whiteout = name.slice(prefix.length) as Bytes;
  if (whiteout === '' || whiteout === '.' || whiteout === '..') {
    throw new LayerfsError('ENTRY_INVALID', `not a whiteout of any name: ${display(name)}`);
  }
  return { whiteout };
}

/** Whether a path leads through AUFS' bookkeeping: one of its directories, not counting the last component, is such a name. */
export function isInsideAufs(path: Bytes): boolean {
  return path.startsWith(aufsPrefix)
    ? path.includes('/')
    : path.includes(`/${aufsPrefix}`) && path.lastIndexOf('/') > path.indexOf(`/${aufsPrefix}`);
}

/** The name that hides `name` in the layers below. Inverse of parseWhiteout. */
export function whiteoutName(name: Bytes): Bytes {
  return `${prefix}${name}` as Bytes;
}
