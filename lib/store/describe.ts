/** What a store holds, for people and programs to look at. */
import type { Digest } from '../digest.js';
import { chainIds } from '../digest.js';
import { contentSize, platformOf, type Image } from './image-catalog.js';
import type { StoreParts } from './parts.js';

export interface ImageInfo {
  readonly name: string;
  readonly digest: Digest;
  /** Bytes of the blobs, as they are compressed. */
  readonly size: number;
  readonly created: string | null;
  readonly layers: number;
}

export interface LayerInfo {
  readonly id: string;
  readonly diffId: Digest;
  /** Of the blob. */
  readonly digest: Digest;
  /** Bytes of the layer's files. */
  readonly size: number;
  readonly entries: number;
}

export interface ImageDetail {
  readonly name: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly manifest: unknown;
  readonly config: unknown;
  readonly platform: string;
  /** Bottom first. */
  readonly layers: readonly LayerInfo[];
}

export interface HistoryInfo {
  readonly created: string | null;
  readonly createdBy: string | null;
  readonly comment: string | null;
  readonly emptyLayer: boolean;
  /** The diffID of the layer that the step made. */
  readonly layer: Digest | null;
  /** Bytes of that layer's blob. */
  readonly size: number | null;
}

export interface StoreUsage {
  /** Bytes of all blobs. */
  readonly content: number;
  /** Bytes of each layer's files, and the images that have it: one is unique to that image, more share it. */
  readonly layers: readonly { id: string; diffId: Digest; size: number; images: readonly string[] }[];
  /** Bytes of disk. */
  readonly snapshots: readonly { id: string; size: number }[];
  readonly total: number;
}

/** Every name with its image. A name whose image cannot be read rejects: nothing is passed over. */
export async function* allImages(store: StoreParts): AsyncGenerator<Image> {
  for (const { name, descriptor } of await store.names.list())
    yield await store.images.read(name, descriptor);
}

export async function listImages(store: StoreParts): Promise<ImageInfo[]> {
  const images = [];
  for await (const { name, target, descriptor, manifest, config } of allImages(store)) {
    images.push({
      name,
      digest: target.digest,
      size: contentSize(descriptor, manifest),
      created: config.created ?? null,
      layers: manifest.layers.length,
    });
  }
  return images;
}

export async function inspectImage(store: StoreParts, name: string): Promise<ImageDetail> {
  const image = await store.images.open(name);
  const { manifest, config } = image;
  const chain = chainIds(config.diffIds);
  const layers = [];
  for (const [i, { digest }] of manifest.layers.entries()) {
    const diffId = config.diffIds[i] as Digest;
    const layer = await store.layers.find(diffId, chain[i] as Digest);
    if (layer !== undefined) {
      layers.push({ id: layer.id, diffId, digest, size: layer.record.size, entries: layer.record.entries });
    }
  }
  return {
    name: image.name,
    digest: image.descriptor.digest,
    mediaType: manifest.mediaType,
    manifest: JSON.parse(image.manifestData.toString()),
    config: config.json,
    platform: platformOf(config),
    layers,
  };
}

/** The steps by which an image was made, oldest first; layers that the config tells nothing of come last. */
export async function imageHistory(store: StoreParts, name: string): Promise<HistoryInfo[]> {
  const { manifest, config } = await store.images.open(name);
  let next = 0;
  const layerInfo = (): Pick<HistoryInfo, 'layer' | 'size'> => {
    const at = next++;
    return { layer: config.diffIds[at] ?? null, size: manifest.layers[at]?.size ?? null };
  };
  const steps: HistoryInfo[] = config.history.map((step) => ({
    created: step.created ?? null,
    createdBy: step.created_by ?? null,
    comment: step.comment ?? null,
    emptyLayer: step.empty_layer === true,
    ...(step.empty_layer === true ? { layer: null, size: null } : layerInfo()),
  }));
  while (next < config.diffIds.length) {
    steps.push({ created: null, createdBy: null, comment: null, emptyLayer: false, ...layerInfo() });
  }
  return steps;
}

export async function storeUsage(
  store: StoreParts,
  snapshotSize: (id: string) => Promise<number>,
): Promise<StoreUsage> {
  let content = 0;
  for await (const digest of store.content.list()) content += await store.content.size(digest);
  const owners = new Map<string, Set<string>>();
  for await (const { name, config } of allImages(store)) {
    const chain = chainIds(config.diffIds);
    for (const [i, diffId] of config.diffIds.entries()) {
      const layer = await store.layers.find(diffId, chain[i] as Digest);
      if (layer === undefined) continue;
      const names = owners.get(layer.id);
      if (names === undefined) owners.set(layer.id, new Set([name]));
      else names.add(name);
    }
  }
  const layers = [];
  for await (const { id, record } of store.layers.list()) {
    layers.push({ id, diffId: record.diffId, size: record.size, images: [...(owners.get(id) ?? [])] });
  }
  const snapshots = [];
  for (const { id } of await store.snapshots.list()) snapshots.push({ id, size: await snapshotSize(id) });
  const sum = (items: readonly { size: number }[]): number =>
    items.reduce((total, { size }) => total + size, 0);
  return { content, layers, snapshots, total: content + sum(layers) + sum(snapshots) };
}
