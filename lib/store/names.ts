/** Changing names: the files in names/ are the truth, content/index.json follows them. */
import { join } from 'node:path';
import type { NameStore } from '../content/names.js';
import { FileLock } from '../fs/lock.js';
import type { StoreParts } from './parts.js';

/** Makes a change of names, and index.json after it, as one change among processes. */
export async function publishNames<T>(
  store: StoreParts,
  change: (names: NameStore) => Promise<T>,
): Promise<T> {
  using _lock = await FileLock.acquire(join(store.layout.locks, 'names'), 'exclusive');
  const result = await change(store.names);
  // A damaged name stands for nothing that index.json could show; whoever asks for it, or collects, is told.
  await store.content.writeIndex(await store.names.list(() => undefined));
  return result;
}
