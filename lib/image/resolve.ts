/** From what a name points at to the manifest of one platform, or to all of them, through nested indexes. */
import { bytes, display } from '../bytes.js';
import { LayerfsError } from '../errors.js';
import { limits } from '../limits.js';
import type { Digest } from '../digest.js';
import { parseConfig } from './config.js';
import type { Descriptor } from './descriptor.js';
import { parseManifest, parseManifestOrIndex, type ImageIndex, type Manifest } from './manifest.js';
import { isConfigMediaType, isIndexMediaType, isManifestMediaType } from './media-type.js';
import { formatPlatform, platformDistance, type Platform } from './platform.js';

/**
 * The verified bytes of a small blob; rejects BLOB_MISSING, and LIMIT_EXCEEDED where it is over `limit` bytes.
 */
export type ReadBlob = (descriptor: Descriptor, limit: number) => Promise<Buffer>;

export interface ResolvedManifest {
  readonly descriptor: Descriptor;
  /** The manifest's bytes as they came: what its digest is of. */
  readonly data: Buffer;
  readonly manifest: Manifest;
}

/**
 * The manifest of an index that fits a platform best: an exact match before an older variant, the first of
 * equals. Entries without a platform never match here.
 */
export function choosePlatform(index: ImageIndex, wanted: Platform): Descriptor | undefined {
  let chosen: Descriptor | undefined;
  let shortest = Infinity;
  for (const descriptor of index.manifests) {
    if (descriptor.platform === undefined || !isManifestMediaType(descriptor.mediaType)) continue;
    const distance = platformDistance(wanted, descriptor.platform);
    if (distance >= 0 && distance < shortest) {
      chosen = descriptor;
      shortest = distance;
    }
  }
  return chosen;
}

/**
 * The manifest to use on a platform. A bare manifest is taken as it is. In an index the entries with a platform
 * are asked first, then nested indexes in their order, then manifests without a platform, which their configs
 * tell.
 * @throws LayerfsError PLATFORM_NOT_FOUND naming the platforms there are, and whatever parsing and `read` throw
 */
export async function resolveManifest(
  root: Descriptor,
  wanted: Platform,
  read: ReadBlob,
): Promise<ResolvedManifest> {
  const walk = new IndexWalk(read);
  if (!isIndexMediaType(root.mediaType)) return walk.manifest(root);
  const offered = new Set<string>();
  const found = await findManifest(await walk.index(root, 0), wanted, walk, offered, 0);
  if (found !== undefined) return found;
  const platforms = display(bytes([...offered].join(', '))) || 'none';
  throw new LayerfsError(
    'PLATFORM_NOT_FOUND',
    `${root.digest} has no manifest for ${formatPlatform(wanted)}; there are: ${platforms}`,
    { detail: { digest: root.digest, platform: formatPlatform(wanted), platforms: [...offered] } },
  );
}

async function findManifest(
  index: ImageIndex,
  wanted: Platform,
  walk: IndexWalk,
  offered: Set<string>,
  depth: number,
): Promise<ResolvedManifest | undefined> {
  for (const { platform } of index.manifests) {
    // Attestations are listed as unknown/unknown.
    if (platform !== undefined && platform.os !== 'unknown') offered.add(formatPlatform(platform));
  }
  const chosen = choosePlatform(index, wanted);
  if (chosen !== undefined) return walk.manifest(chosen);
  for (const nested of index.manifests) {
    if (!isIndexMediaType(nested.mediaType) || !walk.enter(nested)) continue;
    if (nested.platform !== undefined && platformDistance(wanted, nested.platform) < 0) continue;
    const found = await findManifest(await walk.index(nested, depth + 1), wanted, walk, offered, depth + 1);
    if (found !== undefined) return found;
  }
  for (const bare of index.manifests) {
    if (bare.platform !== undefined || !isManifestMediaType(bare.mediaType) || !walk.enter(bare)) continue;
    const candidate = await walk.manifest(bare);
    const platform = await walk.platformOf(candidate.manifest);
    if (platform === undefined) continue;
    offered.add(formatPlatform(platform));
    if (platformDistance(wanted, platform) >= 0) return candidate;
  }
  return undefined;
}

/**
 * A document of an image; `document` is null for a blob of a type that an index may name but layerfs does not
 * know.
 */
export type ImageDocument =
  | { readonly descriptor: Descriptor; readonly data: Buffer; readonly document: Manifest | ImageIndex }
  | { readonly descriptor: Descriptor; readonly data: null; readonly document: null };

/**
 * Every manifest and index under a root, each once, and each after all that it names: the order in which they
 * may be stored.
 */
export async function* imageDocuments(root: Descriptor, read: ReadBlob): AsyncGenerator<ImageDocument> {
  yield* documentsBelow(root, new IndexWalk(read), 0);
}

async function* documentsBelow(
  descriptor: Descriptor,
  walk: IndexWalk,
  depth: number,
): AsyncGenerator<ImageDocument> {
  if (!walk.enter(descriptor)) return;
  if (depth > 0 && !isIndexMediaType(descriptor.mediaType) && !isManifestMediaType(descriptor.mediaType)) {
    yield { descriptor, data: null, document: null };
    return;
  }
  const data = await walk.read(descriptor, depth);
  const document = parseManifestOrIndex(data, descriptor.mediaType);
  if (document.kind === 'index') {
    for (const child of document.manifests) yield* documentsBelow(child, walk, depth + 1);
  }
  yield { descriptor, data, document };
}

/** Reads documents, and bounds what an index can make us read. */
class IndexWalk {
  readonly #read: ReadBlob;
  readonly #entered = new Set<Digest>();
  #documents = 0;

  constructor(read: ReadBlob) {
    this.#read = read;
  }

  /** False for a document that was entered before: what it holds is known. */
  enter(descriptor: Descriptor): boolean {
    if (this.#entered.has(descriptor.digest)) return false;
    this.#entered.add(descriptor.digest);
    return true;
  }

  async read(descriptor: Descriptor, depth: number): Promise<Buffer> {
    if (depth > limits.indexDepth) throw over(`indexes are nested deeper than ${limits.indexDepth}`);
    this.#documents += 1;
    if (this.#documents > limits.indexManifests) throw over(`more than ${limits.indexManifests} manifests`);
    return this.#read(descriptor, limits.manifestSize);
  }

  async index(descriptor: Descriptor, depth: number): Promise<ImageIndex> {
    const document = parseManifestOrIndex(await this.read(descriptor, depth), descriptor.mediaType);
    if (document.kind === 'index') return document;
    throw new TypeError(`${descriptor.mediaType} is not an index`);
  }

  async manifest(descriptor: Descriptor): Promise<ResolvedManifest> {
    const data = await this.read(descriptor, 0);
    return { descriptor, data, manifest: parseManifest(data, descriptor.mediaType) };
  }

  /** The platform that an image's config names; undefined for an artifact, whose config is not looked into. */
  async platformOf(manifest: Manifest): Promise<Platform | undefined> {
    if (!isConfigMediaType(manifest.config.mediaType)) return undefined;
    const config = parseConfig(await this.#read(manifest.config, limits.configSize));
    return { os: config.os, architecture: config.architecture, variant: config.variant };
  }
}

function over(problem: string): LayerfsError {
  return new LayerfsError('LIMIT_EXCEEDED', `image index: ${problem}`);
}
