/** What may be a path inside a layer. */
import type { LayerPath } from '../bytes.js';

/** Whether every component is a name: no empty one, no `.`, no `..`; the root is `''`. */
export function isLayerPath(path: string): path is LayerPath {
  return path === '' || !/(^|\/)\.{0,2}(\/|$)/.test(path);
}
