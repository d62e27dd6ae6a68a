/**
 * Brings the layers of an image into the store: each blob is read once, and layers are worked on at the same time,
 * each without knowing what is below it. Those whose meaning turns out to depend on that are extracted once more, in
 * order, when it is known.
 */
import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { throwIfAborted } from '../abort.js';
import type { ContentStore } from '../content/store.js';
import { chainIds, hexOf, type Digest } from '../digest.js';
import { codeOf } from '../errors.js';
import type { Descriptor } from '../image/descriptor.js';
import { layerFiles } from '../layer/layer-files.js';
import type { Layer, LayerRecord, LayerStore } from '../layer/layer-store.js';
import { readLocation, type BlobLocation } from '../content/location.js';
import type { TarWarning } from '../tar/member.js';
import type { ExtractResult, ExtractTask, LowerPaths } from '../upper/extract.js';
import { WorkerPool } from '../worker/pool.js';
import type { StoreLayout } from '../layout/layout.js';
import { FileLock } from '../fs/lock.js';
import type { LayerState } from './progress.js';
import { Publisher } from './publisher.js';
import { TemporaryDirectory } from '../layout/temporary.js';

export interface LayerProgress {
  readonly digest: Digest;
  readonly index: number;
  readonly state: LayerState;
  /** Compressed bytes. */
  readonly done: number;
  readonly total: number;
}

export interface LayerImportOptions {
  /** Layers worked on at the same time. */
  readonly jobs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LayerProgress) => void) | undefined;
  readonly onWarning?: ((layer: Digest, warning: TarWarning) => void) | undefined;
}

export interface SourceLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/** Where the bytes of a blob can be read. */
export type LocateBlob = (descriptor: Descriptor) => Promise<BlobLocation>;

export class LayerImport implements AsyncDisposable {
  readonly #layout: StoreLayout;
  readonly #layers: LayerStore;
  readonly #content: ContentStore;
  readonly #options: LayerImportOptions;
  readonly #pool: WorkerPool<ExtractTask, number, ExtractResult>;
  readonly #publisher: Publisher;

  constructor(layout: StoreLayout, layers: LayerStore, content: ContentStore, options: LayerImportOptions) {
    this.#layout = layout;
    this.#layers = layers;
    this.#content = content;
    this.#options = options;
    this.#pool = new WorkerPool(new URL('../worker/extract-worker.js', import.meta.url), options.jobs);
    this.#publisher = new Publisher(layout, layers, content);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#publisher[Symbol.asyncDispose]();
    await this.#pool[Symbol.asyncDispose]();
  }

  /**
   * When it resolves, every layer of the stack and every blob is in the store. The caller's lease holds their digests.
   * On rejection, what was complete by then stays for the next try; nothing else does.
   */
  async run(source: readonly SourceLayer[], locate: LocateBlob): Promise<void> {
    const chain = chainIds(source.map(({ diffId }) => diffId));
    const failure = new AbortController();
    const signal =
      this.#options.signal === undefined
        ? failure.signal
        : AbortSignal.any([this.#options.signal, failure.signal]);
    let next = 0;
    const work = async (): Promise<void> => {
      for (let i = next++; i < source.length; i = next++) {
        throwIfAborted(signal, 'import');
        await this.#alone(i, source[i] as SourceLayer, chain[i] as Digest, locate, signal);
      }
    };
    source.forEach(({ descriptor }, i) => this.#report(descriptor, i, 'queued', 0));
    const workers = Array.from({ length: Math.min(this.#options.jobs, source.length) }, () =>
      work().catch((error: unknown) => {
        failure.abort(error);
        throw error;
      }),
    );
    const outcomes = await Promise.allSettled(workers);
    throwIfAborted(this.#options.signal, 'import');
    // The first failure is the cause; the others were told to stop.
    if (failure.signal.aborted) throw failure.signal.reason;
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    const lower: LowerPaths[] = [];
    for (const [i, layer] of source.entries()) {
      const chainId = chain[i] as Digest;
      const { directory, tree } =
        (await this.#find(layer.diffId, chainId)) ?? (await this.#onStack(layer, chainId, lower, signal));
      lower.push({ index: join(directory, layerFiles.index), tree });
    }
  }

  /** Extracts a layer without knowing what is below it, and publishes it if its meaning does not depend on that. */
  async #alone(
    index: number,
    { descriptor, diffId }: SourceLayer,
    chainId: Digest,
    locate: LocateBlob,
    signal: AbortSignal,
  ): Promise<void> {
    using _lock = await this.#lock(diffId, signal);
    const hasBlob = await this.#hasBlob(descriptor);
    if ((await this.#find(diffId, chainId)) !== undefined) {
      if (!hasBlob) {
        this.#report(descriptor, index, 'running', 0);
        await this.#content.put(descriptor, readLocation(await locate(descriptor), { signal }), { signal });
      }
      this.#report(descriptor, index, hasBlob ? 'exists' : 'done', descriptor.size);
      return;
    }
    this.#report(descriptor, index, 'running', 0);
    await using temporary = await TemporaryDirectory.create(this.#layout);
    const directory = join(temporary.path, 'layer');
    await mkdir(directory, 0o700);
    const copyTo = hasBlob ? null : join(temporary.path, 'blob');
    const result = await this.#pool.run(
      {
        blob: hasBlob ? this.#stored(descriptor) : await locate(descriptor),
        expected: { digest: descriptor.digest, size: descriptor.size },
        copyTo,
        diffId,
        directory,
        lower: index === 0 ? [] : null,
      },
      { signal, onProgress: (done) => this.#report(descriptor, index, 'running', done) },
    );
    for (const warning of result.warnings) this.#options.onWarning?.(diffId, warning);
    const record = recordOf(result, diffId, result.dependsOnLower ? chainId : null);
    await this.#publisher.publish({
      temporary: temporary.path,
      layer: result.dependsOnLower && index > 0 ? null : { directory, record },
      blob: copyTo === null ? null : { file: copyTo, digest: descriptor.digest },
    });
    this.#report(descriptor, index, 'done', descriptor.size);
  }

  /** Extracts a layer on top of the ones below it, which are in the store by now, as the blob is. */
  async #onStack(
    { descriptor, diffId }: SourceLayer,
    chainId: Digest,
    lower: readonly LowerPaths[],
    signal: AbortSignal,
  ): Promise<Layer> {
    using _lock = await this.#lock(chainId, signal);
    const other = await this.#find(diffId, chainId);
    if (other !== undefined) return other;
    await using temporary = await TemporaryDirectory.create(this.#layout);
    const directory = join(temporary.path, 'layer');
    await mkdir(directory, 0o700);
    const result = await this.#pool.run(
      {
        blob: this.#stored(descriptor),
        expected: { digest: descriptor.digest, size: descriptor.size },
        copyTo: null,
        diffId,
        directory,
        lower,
      },
      { signal },
    );
    const record = recordOf(result, diffId, chainId);
    await this.#publisher.publish({ temporary: temporary.path, layer: { directory, record }, blob: null });
    const published = await this.#find(diffId, chainId);
    if (published === undefined) throw new Error(`layer ${diffId} has gone while it was being imported`);
    return published;
  }

  /** A damaged layer counts as missing: importing it again heals it. */
  async #find(diffId: Digest, chainId: Digest): Promise<Layer | undefined> {
    try {
      return await this.#layers.find(diffId, chainId);
    } catch (error) {
      if (codeOf(error) !== 'STORE_INVALID') throw error;
      return undefined;
    }
  }

  async #hasBlob({ digest, size }: Descriptor): Promise<boolean> {
    return (await this.#content.has(digest)) && (await this.#content.size(digest)) === size;
  }

  #stored({ digest, size }: Descriptor): BlobLocation {
    return { file: this.#content.path(digest), offset: 0, size };
  }

  #lock(digest: Digest, signal: AbortSignal): Promise<FileLock> {
    const path = join(this.#layout.locks, `layer-${hexOf(digest)}`);
    return FileLock.acquire(path, 'exclusive', { signal, removeAfter: true });
  }

  #report({ digest, size }: Descriptor, index: number, state: LayerState, done: number): void {
    this.#options.onProgress?.({ digest, index, state, done, total: size });
  }
}

function recordOf(result: ExtractResult, diffId: Digest, chainId: Digest | null): LayerRecord {
  const { entries, size, tarSize, tarFrame } = result;
  return { version: 1, diffId, chainId, forms: ['unpacked'], entries, size, tarSize, tarFrame };
}
