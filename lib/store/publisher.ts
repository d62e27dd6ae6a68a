/**
 * Makes finished layers visible. Everything of a layer is on the disk before its name is; layers that finish while a
 * sync is running share the next one, so that 500 small layers cost a few syncs and not 500.
 */
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { HostPath } from '../bytes.js';
import type { ContentStore } from '../content/store.js';
import type { Digest } from '../digest.js';
import { codeOf } from '../errors.js';
import { syncDirectory, writeFileAtomic } from '../fs/atomic.js';
import { layerFiles } from '../layer/layer-files.js';
import { LayerStore, type LayerRecord } from '../layer/layer-store.js';
import { WorkerPool } from '../worker/pool.js';
import type { StoreLayout } from '../layout/layout.js';

/** What lies ready in a temporary directory; either part may be missing. */
export interface Finished {
  /** Whatever must make way is moved into it. */
  readonly temporary: HostPath;
  readonly layer: { readonly directory: HostPath; readonly record: LayerRecord } | null;
  readonly blob: { readonly file: HostPath; readonly digest: Digest } | null;
}

interface Waiting {
  readonly finished: Finished;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Publisher implements AsyncDisposable {
  readonly #layout: StoreLayout;
  readonly #layers: LayerStore;
  readonly #content: ContentStore;
  readonly #sync = new WorkerPool<HostPath, never, null>(
    new URL('../worker/sync-worker.js', import.meta.url),
    1,
  );
  #waiting: Waiting[] = [];
  #running: Promise<void> | null = null;

  constructor(layout: StoreLayout, layers: LayerStore, content: ContentStore) {
    this.#layout = layout;
    this.#layers = layers;
    this.#content = content;
  }

  /** Resolves when the layer and the blob are visible and, unless the store is volatile, durable. */
  async publish(finished: Finished): Promise<void> {
    if (finished.layer !== null) {
      const { directory, record } = finished.layer;
      await writeFileAtomic(join(directory, layerFiles.record), JSON.stringify(record), { durable: false });
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ finished, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running;
    await this.#sync[Symbol.asyncDispose]();
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#show(batch.map(({ finished }) => finished));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#running = null;
  }

  async #show(batch: readonly Finished[]): Promise<void> {
    if (this.#layout.durable) await this.#sync.run(this.#layout.root);
    const touched = new Set<HostPath>();
    for (const { layer, blob, temporary } of batch) {
      if (blob !== null) {
        const path = this.#content.path(blob.digest);
        await rename(blob.file, path);
        touched.add(dirname(path));
      }
      if (layer !== null) {
        const path = this.#layers.path(LayerStore.idOf(layer.record));
        await replaceDirectory(layer.directory, path, join(temporary, 'replaced'));
        touched.add(dirname(path));
      }
    }
    if (this.#layout.durable) for (const directory of touched) await syncDirectory(directory);
  }
}

/** What is in the way is damaged, or it would have been found and used. */
async function replaceDirectory(from: HostPath, to: HostPath, aside: HostPath): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error;
    await rename(to, aside);
    await rename(from, to);
  }
}
