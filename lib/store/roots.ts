/** What must stay: everything that names, snapshots, mounts and work in progress need. */
import { chainIds, type Digest } from '../digest.js';
import { parseConfig } from '../image/config.js';
import type { Descriptor } from '../image/descriptor.js';
import { isConfigMediaType } from '../image/media-type.js';
import { imageDocuments } from '../image/resolve.js';
import { limits } from '../limits.js';
import { leasedDigests } from '../layout/lease.js';
import type { StoreParts } from './parts.js';

export interface Wanted {
  readonly blobs: ReadonlySet<Digest>;
  /** Ids. */
  readonly layers: ReadonlySet<string>;
  /** By chainID: chain records, and what drivers keep for a stack. */
  readonly chains: ReadonlySet<Digest>;
}

/**
 * @throws LayerfsError BLOB_MISSING, DIGEST_MISMATCH, … where an image cannot be read: then nobody can say what it
 *   needs, and nothing may be collected
 */
export async function wantedByRoots(store: StoreParts): Promise<Wanted> {
  const leased = leasedDigests(store.layout);
  const blobs = new Set(leased);
  const layers = new Set<string>();
  const chains = new Set(leased);

  const wantStack = async (diffIds: readonly Digest[]): Promise<void> => {
    const chain = chainIds(diffIds);
    const top = chain.at(-1);
    if (top !== undefined) chains.add(top);
    for (const [i, diffId] of diffIds.entries()) {
      const layer = await store.layers.find(diffId, chain[i] as Digest);
      if (layer !== undefined) layers.add(layer.id);
    }
  };

  const read = (descriptor: Descriptor, limit: number): Promise<Buffer> =>
    store.content.readAll(descriptor, limit);
  for (const { descriptor: root } of await store.names.list()) {
    for await (const { descriptor, document } of imageDocuments(root, read)) {
      blobs.add(descriptor.digest);
      if (document?.kind !== 'manifest') continue;
      for (const { digest } of [document.config, ...document.layers]) blobs.add(digest);
      if (!isConfigMediaType(document.config.mediaType)) continue;
      await wantStack(parseConfig(await read(document.config, limits.configSize)).diffIds);
    }
  }
  for (const { diffIds } of await store.snapshots.list()) await wantStack(diffIds);
  for (const { use } of await store.uses.list()) {
    for (const id of use.layers) layers.add(id);
    if (use.chainId !== null) chains.add(use.chainId);
  }
  for await (const { id, record } of store.layers.list()) {
    if (leased.has(record.diffId) || (record.chainId !== null && leased.has(record.chainId))) layers.add(id);
  }
  return { blobs, layers, chains };
}
