/** What is different at a mount point from the image that is mounted there, by looking at both. */
import type { Stats } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { bufferOf, display, type Bytes, type ListEntry } from '../../index.js';

export interface Change {
  /** Added, changed, deleted. */
  readonly kind: 'A' | 'C' | 'D';
  /** From the image's root, escaped. */
  readonly path: string;
}

/**
 * Added, changed and deleted paths in byte order. Of a directory only type and mode are compared: what is written
 * into one changes its time and size.
 */
export async function changesAt(mountpoint: string, image: AsyncIterable<ListEntry>): Promise<Change[]> {
  const added = await pathsBelow(mountpoint);
  const changes: { kind: Change['kind']; path: Bytes }[] = [];
  for await (const entry of image) {
    if (entry.path === '') continue;
    if (!added.delete(entry.path)) changes.push({ kind: 'D', path: entry.path });
    else if (await differs(mountpoint, entry)) changes.push({ kind: 'C', path: entry.path });
  }
  for (const path of added) changes.push({ kind: 'A', path });
  return changes
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ kind, path }) => ({ kind, path: `/${display(path)}` }));
}

async function pathsBelow(mountpoint: string): Promise<Set<Bytes>> {
  const found = new Set<Bytes>();
  const visit = async (directory: string): Promise<void> => {
    const options = { withFileTypes: true, encoding: 'buffer' } as const;
    for (const child of await readdir(onHost(mountpoint, directory as Bytes), options)) {
      const path = `${directory}${child.name.toString('latin1')}`;
      found.add(path as Bytes);
      if (child.isDirectory()) await visit(`${path}/`);
    }
  };
  await visit('');
  return found;
}

async function differs(mountpoint: string, entry: ListEntry): Promise<boolean> {
  const path = onHost(mountpoint, entry.path);
  const status = await lstat(path, { bigint: true });
  const { mode, mtimeNs, size } = status;
  if (!hasKind(status, entry.kind)) return true;
  if (entry.kind === 'symlink') return (await readlink(path, 'latin1')) !== entry.target;
  if (Number(mode & 0o7777n) !== entry.mode) return true;
  return entry.kind !== 'directory' && (mtimeNs !== entry.mtime || Number(size) !== entry.size);
}

function hasKind(
  status: Pick<Stats, 'isDirectory' | 'isFile' | 'isSymbolicLink'>,
  kind: ListEntry['kind'],
): boolean {
  if (kind === 'directory') return status.isDirectory();
  if (kind === 'symlink') return status.isSymbolicLink();
  return status.isFile() === (kind === 'file');
}

function onHost(mountpoint: string, path: Bytes): Buffer {
  return Buffer.concat([Buffer.from(`${mountpoint}/`), bufferOf(path)]);
}
