/** A directory of the host as the entries of one layer. */
import { throwIfAborted, type Abortable } from '../abort.js';
import { display, type Bytes, type LayerPath } from '../bytes.js';
import { InodeNames, readContents, readEntry } from '../fs/metadata.js';
import { walk, type HostFile } from '../fs/walk.js';
import type { Entry } from '../layer/entry.js';
import { S_IFCHR, S_IFDIR, S_IFMT, S_IFSOCK } from '../sys/index.js';
import { packLayer } from '../tar/pack-layer.js';
import type { SourceOptions, SourceWarningCode } from './source.js';

/** What travels with a file. Other xattrs belong to the host: its security policy, its overlayfs, its index. */
const portableXattrs = /^(?:user\..+|security\.(?:capability|ima)|system\.posix_acl_(?:access|default))$/s;

/**
 * The tar of a layer that holds the tree, every name and attribute exactly as the host has it: mtimes to the
 * nanosecond, hard links as such, holes as zeros. Left out, with a warning each: sockets, whiteouts of overlayfs
 * (character devices 0/0), files that something is mounted over, what is in directories that something is mounted
 * at, and xattrs that are not portable (one warning for each name of an xattr).
 *
 * @param root descriptor of the directory; closed by the caller when the tar has been read
 * @throws LayerfsError ENTRY_INVALID for a file called `.wh.…`; as walk, readEntry and readContents
 */
export async function* packDirectory(
  root: number,
  options: Pick<SourceOptions, 'onWarning'> & Abortable = {},
): AsyncGenerator<Buffer> {
  let current: HostFile;
  const names = new InodeNames();
  const warnings = new Warnings(options.onWarning);
  function* entries(): Generator<Entry> {
    for (const file of walk(root)) {
      throwIfAborted(options.signal, 'read the directory');
      if (isLeftOut(file, warnings)) continue;
      const entry = readEntry(file, names);
      if (entry === undefined) continue;
      current = file;
      yield portable(entry, warnings);
    }
  }
  yield* packLayer(entries(), () => readContents(current, options));
}

function isLeftOut({ path, status, isMountPoint }: HostFile, warnings: Warnings): boolean {
  const type = status.mode & S_IFMT;
  if (type === S_IFSOCK) {
    warnings.add('socket', path, 'a socket is left out: a layer cannot hold one');
    return true;
  }
  if (type === S_IFCHR && status.rdevMajor === 0 && status.rdevMinor === 0) {
    warnings.add('whiteout', path, 'a character device 0/0 is left out: it is a whiteout of overlayfs');
    return true;
  }
  if (!isMountPoint) return false;
  const what = type === S_IFDIR ? 'what is mounted here is' : 'a file that is mounted here is';
  warnings.add('mount-point', path, `${what} left out`);
  return type !== S_IFDIR;
}

function portable(entry: Entry, warnings: Warnings): Entry {
  if (!('meta' in entry) || entry.meta.xattrs.size === 0) return entry;
  const xattrs = new Map<Bytes, Buffer>();
  for (const [name, value] of entry.meta.xattrs) {
    if (portableXattrs.test(name)) xattrs.set(name, value);
    else warnings.addXattr(entry.path, name);
  }
  return { ...entry, meta: { ...entry.meta, xattrs } };
}

class Warnings {
  readonly #tell: SourceOptions['onWarning'];
  readonly #xattrs = new Set<Bytes>();

  constructor(tell: SourceOptions['onWarning']) {
    this.#tell = tell;
  }

  add(code: SourceWarningCode, path: LayerPath, message: string): void {
    this.#tell?.({ code, path, message });
  }

  /** On a host with SELinux every file has one: one warning is enough. */
  addXattr(path: LayerPath, name: Bytes): void {
    if (this.#xattrs.has(name)) return;
    this.#xattrs.add(name);
    this.add('xattr', path, `the xattr ${display(name)} is left to the host, here and on other files`);
  }
}
