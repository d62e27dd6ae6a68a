/** Layers on one another, as one tree: pure logic over their indexes. */
import { joinPath, rootPath, type LayerPath } from '../bytes.js';
import type { LayerIndex } from '../layer/layer-index.js';
import { mergedRoot } from './directory.js';
import type { NamedEntry, StackEntry } from './entry.js';
import { Layers } from './layers.js';
import { findLowerFiles } from './lower-hardlinks.js';
import { resolveFrom } from './resolve.js';

export interface Visible {
  readonly path: LayerPath;
  readonly entry: StackEntry;
}

/**
 * What a stack of layers shows, after OCI image-spec layer.md: whiteouts and opaque directories hide what is in the
 * layers below, never in their own; anything but a directory hides all below it; directories are merged.
 */
export class Stack {
  /** Bottom first. */
  readonly layers: readonly LayerIndex[];
  readonly #layers: Layers;
  /** null only for a stack of no layers, which shows nothing. */
  readonly root: StackEntry | null;

  /** @throws LayerfsError ENTRY_INVALID where a hardlink names a file that no lower layer has */
  constructor(layers: readonly LayerIndex[]) {
    this.layers = layers;
    this.#layers = new Layers(layers);
    findLowerFiles(this.#layers);
    this.root = mergedRoot(this.#layers, layers.length);
  }

  /**
   * The entry at the path; null where nothing is. Without `follow` the path is taken as it stands: below a symlink
   * there is nothing. With it, symlinks are followed, the last component's too.
   */
  lookup(path: LayerPath, options: { follow?: boolean } = {}): StackEntry | null {
    if (options.follow === true) {
      return this.root === null ? null : (resolveFrom(this.#layers, this.root, path, true)?.entry ?? null);
    }
    let entry = this.root;
    if (path === '') return entry;
    for (const name of path.split('/') as LayerPath[]) entry = entry?.directory?.child(name) ?? null;
    return entry;
  }

  /**
   * The path with every symlink in it followed inside the root, so that `lookup` of it needs no `follow`; the last
   * component need not exist. null where a directory on the way is missing or is none, or after 40 symlinks.
   * With `followLast: false` the last component stays as it is (lstat).
   */
  resolve(path: LayerPath, options: { followLast?: boolean } = {}): LayerPath | null {
    if (this.root === null) return null;
    return resolveFrom(this.#layers, this.root, path, options.followLast ?? true)?.path ?? null;
  }

  /** What is in the directory, by the bytes of the names; null where there is no directory at exactly that path. */
  list(path: LayerPath): NamedEntry[] | null {
    return this.lookup(path)?.directory?.children() ?? null;
  }

  /** Everything that shows, the root first, depth first: a directory before its children, names by their bytes. */
  *walk(): Generator<Visible, void> {
    if (this.root === null) return;
    yield { path: rootPath, entry: this.root };
    const pending = [{ path: rootPath, children: this.root.directory?.children() ?? [], next: 0 }];
    for (let level = pending.at(-1); level !== undefined; level = pending.at(-1)) {
      const entry = level.children[level.next++];
      if (entry === undefined) {
        pending.pop();
        continue;
      }
      const path = joinPath(level.path, entry.name);
      yield { path, entry };
      if (entry.directory !== null) pending.push({ path, children: entry.directory.children(), next: 0 });
    }
  }
}
