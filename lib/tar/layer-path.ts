/** Paths of layer tars, as text: what they resolve to in a file system is for whoever opens them. */
import type { Bytes, LayerPath } from '../bytes.js';
import { LayerfsError } from '../errors.js';
import { limits } from '../limits.js';
import { shown } from './fault.js';

/**
 * The path from the root: a slash in front changes nothing, `a//b`, `a/./b` and `a/b/` are `a/b`, `a/../b` is `b`.
 *
 * @throws LayerfsError PATH_ESCAPE where `..` leads above the root
 */
export function normalisePath(path: Bytes): LayerPath {
  if (isNormal(path)) return (path.endsWith('/') ? path.slice(0, -1) : path) as LayerPath;
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.pop() === undefined) {
      throw new LayerfsError('PATH_ESCAPE', `a path leads above the root: ${shown(path)}`, {
        detail: { path: shown(path) },
      });
    }
  }
  return names.join('/') as LayerPath;
}

/** Normal but for a slash at the end, as nearly all paths are: seen without taking them apart. */
function isNormal(path: Bytes): boolean {
  return !path.startsWith('/') && !path.startsWith('.') && !path.includes('//') && !path.includes('/.');
}

/** @throws LayerfsError LIMIT_EXCEEDED for a path that is too long or too deep, or has too long a name in it */
export function checkPath(path: LayerPath): LayerPath {
  if (path.length <= limits.nameLength) return path;
  if (path.length > limits.pathLength) {
    throw overLimit(path, `${path.length} bytes, more than ${limits.pathLength}`);
  }
  const names = path.split('/');
  if (names.length > limits.pathDepth) {
    throw overLimit(path, `${names.length} names, more than ${limits.pathDepth}`);
  }
  for (const name of names) {
    if (name.length > limits.nameLength) {
      throw overLimit(path, `a name of ${name.length} bytes, more than ${limits.nameLength}`);
    }
  }
  return path;
}

function overLimit(path: LayerPath, what: string): LayerfsError {
  return new LayerfsError('LIMIT_EXCEEDED', `a path has ${what}: ${shown(path)}`, {
    detail: { path: shown(path) },
  });
}
