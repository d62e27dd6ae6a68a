/** `ls`: what an image holds, answered from the indexes alone. */
import { baseOf, bytes, display, type Bytes, type LayerPath } from '../bytes.js';
import { LayerfsError } from '../errors.js';
import { joinPath } from '../bytes.js';
import type { LayerIndex } from '../layer/layer-index.js';
import type { StackEntry } from '../union/entry.js';
import { Stack } from '../union/stack.js';
import type { StoreParts } from './parts.js';

export interface ListEntry {
  /** In the image, without a slash at the beginning; `''` is the root. */
  readonly path: Bytes;
  readonly name: Bytes;
  readonly kind: 'directory' | 'file' | 'symlink' | 'char' | 'block' | 'fifo';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** In bytes; 0 for anything but a file. */
  readonly size: number;
  /** Nanoseconds since the epoch. */
  readonly mtime: bigint;
  /** Of a symlink. */
  readonly target?: Bytes;
  /** Of a device. */
  readonly major?: number;
  readonly minor?: number;
  /** Which layer shows it, 0 at the bottom. */
  readonly layer: number;
}

export interface ListOptions {
  recursive?: boolean | undefined;
}

/**
 * The entries of a directory of an image, by the bytes of their names; of anything else, the one entry. Symlinks in
 * the path are followed inside the image.
 * @throws LayerfsError IMAGE_NOT_FOUND, PATH_NOT_FOUND where the image has no such path
 */
export async function* list(
  store: StoreParts,
  name: string,
  path: string,
  options: ListOptions,
): AsyncGenerator<ListEntry> {
  const image = await store.images.open(name);
  const { layers } = await store.chains.stack(image.config.diffIds);
  const indexes = [];
  for (const layer of layers) indexes.push(await layer.index());
  const stack = new Stack(indexes);
  const normal = bytes(
    path
      .split('/')
      .filter((part) => part !== '' && part !== '.')
      .join('/'),
  ) as LayerPath;
  const at = stack.resolve(normal);
  const entry = at === null ? null : stack.lookup(at);
  if (at === null || entry === null) {
    if (normal === '') return;
    throw new LayerfsError('PATH_NOT_FOUND', `${image.name} has no ${display(normal)}`, {
      detail: { path },
    });
  }
  if (entry.directory === null) yield entryOf(indexes, entry, at);
  else yield* children(indexes, entry, at, options.recursive === true);
}

function* children(
  indexes: readonly LayerIndex[],
  { directory }: StackEntry,
  path: LayerPath,
  recursive: boolean,
): Generator<ListEntry> {
  for (const child of directory?.children() ?? []) {
    const at = joinPath(path, child.name);
    yield entryOf(indexes, child, at);
    if (recursive && child.directory !== null) yield* children(indexes, child, at, true);
  }
}

function entryOf(indexes: readonly LayerIndex[], entry: StackEntry, path: LayerPath): ListEntry {
  const { layer, record } = entry;
  const index = indexes[layer];
  if (index === undefined) throw new RangeError(`no layer ${layer}`);
  const kind = index.kind(record);
  if (kind === 'hardlink' || kind === 'whiteout') throw new TypeError(`a ${kind} cannot be seen in a stack`);
  const { mode, uid, gid, mtime } = index.meta(record);
  const size = index.size(record);
  return {
    path,
    name: baseOf(path),
    kind,
    mode,
    uid,
    gid,
    size,
    mtime,
    layer,
    ...(kind === 'symlink' ? { target: index.target(record) } : {}),
    ...(kind === 'char' || kind === 'block'
      ? { major: index.major(record), minor: index.minor(record) }
      : {}),
  };
}
