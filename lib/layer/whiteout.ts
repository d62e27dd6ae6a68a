/** The file names that mean whiteouts in layer tars (OCI image-spec, layer.md; AUFS). Nothing else knows `.wh.`. */
import { display, type Bytes, type LayerPath } from '../bytes.js';
import { LayerfsError } from '../errors.js';

const prefix = '.wh.';
const aufsPrefix = '.wh..wh.';

/** The marker that hides everything the layers below have in its directory. */
export const opaqueName = '.wh..wh..opq' as Bytes;

/**
 * What a name means: a whiteout of another name, the opaque marker, AUFS' own files (`.wh..wh.aufs`, `.wh..wh.plnk` and
 * whatever begins alike), which are no part of a layer, or null: a name like any other.
 *
 * @param path for the message of an error
 * @throws LayerfsError ENTRY_INVALID for `.wh.`, `.wh..` and `.wh...`, whose names would be empty, `.` and `..`
 */
export function parseWhiteout(
  name: Bytes,
  path: Bytes = name,
): { readonly whiteout: Bytes } | 'opaque' | 'aufs' | null {
  if (!name.startsWith(prefix)) return null;
  if (name === opaqueName) return 'opaque';
  if (name.startsWith(aufsPrefix)) return 'aufs';
  const whiteout = name.slice(prefix.length) as Bytes;
  if (whiteout === '' || whiteout === '.' || whiteout === '..') {
    // The path of a hostile archive may have a million bytes; its end is what matters.
    const place = display(path.slice(-300) as Bytes);
    throw new LayerfsError('ENTRY_INVALID', `a whiteout of no name: ${place}`, { detail: { path: place } });
  }
  return { whiteout };
}

/** The marker for a whiteout of `name`. Inverse of parseWhiteout. */
export function whiteoutName(name: Bytes): Bytes {
  return `${prefix}${name}` as Bytes;
}

/** Whether the path lies in one of AUFS' directories. A directory called `.wh.x` is one like any other. */
export function isInsideAufs(path: LayerPath): boolean {
  return path.includes(aufsPrefix) && /(?:^|\/)\.wh\.\.wh\.[^/]*\//.test(path);
}
