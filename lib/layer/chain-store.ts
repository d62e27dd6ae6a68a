/**
 * Stacks that have been shown to be complete, one small file a chainID, so that a mount of 500 layers reads one file
 * instead of 500. Derived data: a record that is gone is made again from the layers.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bytes, HostPath } from '../bytes.js';
import { chainIds, hexOf, type Digest } from '../digest.js';
import { LayerfsError, codeOf } from '../errors.js';
import { writeFileAtomic } from '../fs/atomic.js';
import { obsoleteChains } from './chain-names.js';
import type { Meta } from './entry.js';
import { layerFiles } from './layer-files.js';
import { readIndexOf, type LayerStore } from './layer-store.js';
import { impliedMeta } from './tree.js';
import type { LayerStack, StoredLayer } from './stack.js';

interface ChainRecord {
  readonly version: 1;
  readonly chainId: Digest;
  /** Ids, bottom first; layers below one with an opaque root are left out, as nothing of them can be seen. */
  readonly layers: readonly string[];
  readonly rootImplied: boolean;
  readonly root: {
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
    /** Nanoseconds, as a decimal string. */
    readonly mtime: string;
    /** Name (a character a byte) to value (base64). */
    readonly xattrs: Readonly<Record<string, string>>;
  };
}

export interface ChainStoreOptions {
  readonly durable: boolean;
  readonly temporaryDirectory: HostPath;
}

export class ChainStore {
  readonly #directory: HostPath;
  readonly #layers: LayerStore;
  readonly #options: ChainStoreOptions;

  constructor(directory: HostPath, layers: LayerStore, options: ChainStoreOptions) {
    this.#directory = directory;
    this.#layers = layers;
    this.#options = options;
  }

  path(chainId: Digest): HostPath {
    return join(this.#directory, `${hexOf(chainId)}.json`);
  }

  /**
   * The stack of some diffIDs, bottom first, with every layer of it in the store.
   * @throws LayerfsError STORE_INVALID naming the layer that is not there
   */
  async stack(diffIds: readonly Digest[]): Promise<LayerStack> {
    const chain = chainIds(diffIds);
    const chainId = chain.at(-1);
    if (chainId === undefined) return { chainId: null, layers: [], root: impliedMeta, rootImplied: true };
    const known = await this.#read(chainId);
    if (known !== undefined) return this.#stackOf(known);
    const layers = [];
    for (const [i, diffId] of diffIds.entries()) {
      const layer = await this.#layers.find(diffId, chain[i] as Digest);
      if (layer === undefined) {
        throw new LayerfsError(
          'STORE_INVALID',
          `layer ${diffId} is not in the store: import the image again`,
          {
            detail: { diffId },
          },
        );
      }
      layers.push(layer);
    }
    return this.#stackOf(await this.#write(chainId, layers));
  }

  /** Records of other chains than these, which may be deleted. */
  obsolete(wanted: ReadonlySet<Digest>): Promise<HostPath[]> {
    return obsoleteChains(this.#directory, wanted);
  }

  async #write(chainId: Digest, layers: readonly StoredLayer[]): Promise<ChainRecord> {
    let first = 0;
    let root: Meta | null = null;
    let rootImplied = true;
    // An opaque root hides what is in the roots below, not what they look like.
    for (let i = layers.length - 1; i >= 0 && (root === null || first === 0); i--) {
      const index = await (layers[i] as StoredLayer).index();
      if (root === null && !index.implied(0)) {
        root = index.meta(0);
        rootImplied = i < layers.length - 1;
      }
      if (first === 0 && index.opaque(0)) first = i;
    }
    const { mode, uid, gid, mtime, xattrs } = root ?? impliedMeta;
    const record: ChainRecord = {
      version: 1,
      chainId,
      layers: layers.slice(first).map(({ id }) => id),
      rootImplied,
      root: {
        mode,
        uid,
        gid,
        mtime: String(mtime),
        xattrs: Object.fromEntries([...xattrs].map(([name, value]) => [name, value.toString('base64')])),
      },
    };
    await writeFileAtomic(this.path(chainId), JSON.stringify(record), this.#options);
    return record;
  }

  async #read(chainId: Digest): Promise<ChainRecord | undefined> {
    let text: string;
    try {
      text = await readFile(this.path(chainId), 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const record = JSON.parse(text) as Partial<ChainRecord> | null;
      // A record that power loss or a disk has damaged is made again.
      return record?.version === 1 && record.chainId === chainId && Array.isArray(record.layers)
        ? (record as ChainRecord)
        : undefined;
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  #stackOf(record: ChainRecord): LayerStack {
    const { mode, uid, gid, mtime, xattrs } = record.root;
    const values = Object.entries(xattrs).map(([name, value]): [Bytes, Buffer] => [
      name as Bytes,
      Buffer.from(value, 'base64'),
    ]);
    return {
      chainId: record.chainId,
      layers: record.layers.map((id) => this.#layer(id)),
      root: { mode, uid, gid, mtime: BigInt(mtime), xattrs: new Map(values) },
      rootImplied: record.rootImplied,
    };
  }

  /** A layer that a record vouches for: nothing is read before it is needed. */
  #layer(id: string): StoredLayer {
    const directory = this.#layers.path(id);
    return {
      id,
      directory,
      tree: join(directory, layerFiles.tree),
      index: () => readIndexOf(directory),
    };
  }
}
