/**
 * The layers of a store, each complete in a directory of its own: `layer.json`, `index`, and its forms.
 *
 * A layer whose meaning does not depend on what is below it is stored once, under its diffID. One with implied
 * parents or links to lower files means something else on every stack, and is stored under its chainID.
 */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { HostPath } from '../bytes.js';
import { hexOf, isDigest, type Digest } from '../digest.js';
import { LayerfsError, codeOf, messageOf } from '../errors.js';
import { layerFiles } from './layer-files.js';
import type { LayerIndex } from './layer-index.js';
import type { LayerForm, StoredLayer } from './stack.js';

/** layer.json, as docs/format.md has it. */
export interface LayerRecord {
  readonly version: 1;
  readonly diffId: Digest;
  /** The stack that the layer was resolved for, itself included; null where it means the same on any. */
  readonly chainId: Digest | null;
  readonly forms: readonly LayerForm[];
  /** Entries, as the index counts them. */
  readonly entries: number;
  /** Bytes of all files, each inode once. */
  readonly size: number;
  /** Bytes of the uncompressed tar. */
  readonly tarSize: number;
  /** Whether tree and `tar-frame.gz` together give the tar again; if not, only the blob does. */
  readonly tarFrame: boolean;
}

/** Bytes of decoded indexes kept in memory. */
const indexCache = 64 * 1024 * 1024;

export class Layer implements StoredLayer {
  readonly id: string;
  readonly directory: HostPath;
  readonly record: LayerRecord;
  readonly #indexes: LRUCache<string, LayerIndex>;

  constructor(id: string, directory: HostPath, record: LayerRecord, indexes: LRUCache<string, LayerIndex>) {
    this.id = id;
    this.directory = directory;
    this.record = record;
    this.#indexes = indexes;
  }

  get tree(): HostPath {
    return join(this.directory, layerFiles.tree);
  }

  async index(): Promise<LayerIndex> {
    const known = this.#indexes.get(this.id);
    if (known !== undefined) return known;
    const index = await readIndexOf(this.directory);
    this.#indexes.set(this.id, index, { size: Math.max(1, index.byteLength) });
    return index;
  }
}

/** Loads what reads indexes when one is read: a mount reads none. */
export async function readIndexOf(directory: HostPath): Promise<LayerIndex> {
  const { LayerIndex } = await import('./layer-index.js');
  return LayerIndex.read(join(directory, layerFiles.index));
}

export class LayerStore {
  readonly directory: HostPath;
  readonly #indexes = new LRUCache<string, LayerIndex>({ maxSize: indexCache });

  constructor(directory: HostPath) {
    this.directory = directory;
  }

  /** Where the layer of an id is, or would be. */
  path(id: string): HostPath {
    return join(this.directory, id);
  }

  /** The id under which a layer is stored. */
  static idOf(record: Pick<LayerRecord, 'diffId' | 'chainId'>): string {
    return hexOf(record.chainId ?? record.diffId);
  }

  /** The layer of an id, or undefined. @throws LayerfsError STORE_INVALID */
  async get(id: string): Promise<Layer | undefined> {
    const directory = this.path(id);
    let text: string;
    try {
      text = await readFile(join(directory, layerFiles.record), 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
    return new Layer(id, directory, parseRecord(text, id), this.#indexes);
  }

  /**
   * The layer of a diffID as it is on top of a stack.
   * @param chainId of the stack, this layer included
   */
  async find(diffId: Digest, chainId: Digest): Promise<Layer | undefined> {
    const resolved = await this.get(hexOf(chainId));
    if (resolved?.record.diffId === diffId && (resolved.record.chainId ?? chainId) === chainId)
      return resolved;
    const free = await this.get(hexOf(diffId));
    return free?.record.diffId === diffId && free.record.chainId === null ? free : undefined;
  }

  async *list(): AsyncGenerator<Layer> {
    for (const id of (await readdir(this.directory)).sort()) {
      const layer = await this.get(id);
      if (layer !== undefined) yield layer;
    }
  }
}

function parseRecord(text: string, id: string): LayerRecord {
  const invalid = (why: string, cause?: unknown): LayerfsError =>
    new LayerfsError('STORE_INVALID', `layer ${id}: layer.json: ${why}`, { cause, detail: { layer: id } });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw invalid(messageOf(error), error);
  }
  const record = value as Partial<LayerRecord> | null;
  if (record === null || typeof record !== 'object') throw invalid('not an object');
  if (record.version !== 1) throw invalid('unknown version');
  if (!isDigest(record.diffId)) throw invalid('diffId is not a digest');
  if (record.chainId !== null && !isDigest(record.chainId)) throw invalid('chainId is not a digest');
  if (LayerStore.idOf(record as LayerRecord) !== id) throw invalid('is about another layer');
  for (const key of ['entries', 'size', 'tarSize'] as const) {
    if (!Number.isSafeInteger(record[key])) throw invalid(`${key} is not a number`);
  }
  if (!Array.isArray(record.forms) || typeof record.tarFrame !== 'boolean') throw invalid('lacks fields');
  return record as LayerRecord;
}
