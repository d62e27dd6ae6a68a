/** Freeing what nothing needs. */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostPath } from '../bytes.js';
import type { Digest } from '../digest.js';
import type { Driver } from '../driver.js';
import { collectLock } from '../layout/lease.js';
import { FileLock } from '../fs/lock.js';
import type { StoreParts } from './parts.js';
import { wantedByRoots } from './roots.js';
import { TemporaryDirectory } from '../layout/temporary.js';

export interface Collected {
  /** Bytes of blobs, and of the files of layers. */
  readonly freed: number;
  readonly blobs: readonly Digest[];
  /** Ids. */
  readonly layers: readonly string[];
}

/**
 * Deletes what no name, snapshot, mount or work in progress needs. What goes is out of sight in one step each, and
 * is deleted when others can work with the store again.
 * @throws LayerfsError as `wantedByRoots`: then nothing has been touched
 */
export async function collect(store: StoreParts, drivers: readonly Driver[]): Promise<Collected> {
  await using temporary = await TemporaryDirectory.create(store.layout);
  let moved = 0;
  const moveAside = async (path: HostPath): Promise<void> => {
    await rename(path, join(temporary.path, String(moved++)));
  };
  using _lock = await FileLock.acquire(collectLock(store.layout), 'exclusive');
  const wanted = await wantedByRoots(store);
  for (const driver of drivers) {
    for (const path of await driver.obsolete(wanted.chains)) await moveAside(path);
  }
  for (const path of await store.chains.obsolete(wanted.chains)) await moveAside(path);
  let freed = 0;
  const layers: string[] = [];
  for await (const { id, directory, record } of store.layers.list()) {
    if (wanted.layers.has(id)) continue;
    await moveAside(directory);
    layers.push(id);
    freed += record.size;
  }
  const blobs: Digest[] = [];
  for await (const digest of store.content.list()) {
    if (wanted.blobs.has(digest)) continue;
    freed += await store.content.size(digest);
    await store.content.delete(digest);
    blobs.push(digest);
  }
  return { freed, blobs, layers };
}
