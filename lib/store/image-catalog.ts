/** The images of a store: what a name stands for, as documents that have been verified. */
import type { ContentStore } from '../content/store.js';
import type { NameStore } from '../content/names.js';
import type { Digest } from '../digest.js';
import { LayerfsError } from '../errors.js';
import { parseConfig, type ImageConfig } from '../image/config.js';
import type { Descriptor } from '../image/descriptor.js';
import type { Manifest } from '../image/manifest.js';
import { isConfigMediaType } from '../image/media-type.js';
import { formatPlatform, defaultPlatform, type Platform } from '../image/platform.js';
import { parseReference } from '../image/reference.js';
import { resolveManifest } from '../image/resolve.js';
import { limits } from '../limits.js';

/** An image of one platform, its documents read and checked. */
export interface Image {
  /** Canonical. */
  readonly name: string;
  /** What the name stands for: a manifest, or an index of several. */
  readonly target: Descriptor;
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  /** As it came. */
  readonly manifestData: Buffer;
  readonly config: ImageConfig;
  readonly configData: Buffer;
}

export class ImageCatalog {
  readonly #content: ContentStore;
  readonly #names: NameStore;

  constructor(content: ContentStore, names: NameStore) {
    this.#content = content;
    this.#names = names;
  }

  /**
   * What a name stands for. `NAME@DIGEST` is the image of that digest, if NAME has it.
   * @throws LayerfsError REFERENCE_INVALID, IMAGE_NOT_FOUND
   */
  async find(text: string): Promise<{ name: string; target: Descriptor }> {
    const reference = parseReference(text);
    const found = await this.#names.get(reference.name);
    if (found !== undefined) return { name: reference.name, target: found };
    if (reference.digest !== undefined) {
      for (const { name, descriptor } of await this.#names.list()) {
        const other = parseReference(name);
        const same = other.registry === reference.registry && other.repository === reference.repository;
        if (same && descriptor.digest === reference.digest) return { name, target: descriptor };
      }
    }
    throw new LayerfsError(
      'IMAGE_NOT_FOUND',
      `there is no image ${reference.name} in the store (see "layerfs images")`,
      { detail: { name: reference.name } },
    );
  }

  /** @throws LayerfsError REFERENCE_INVALID, IMAGE_NOT_FOUND, PLATFORM_NOT_FOUND, BLOB_MISSING, DIGEST_MISMATCH, MEDIA_TYPE_UNSUPPORTED */
  async open(text: string, platform: Platform = defaultPlatform()): Promise<Image> {
    const { name, target } = await this.find(text);
    return this.read(name, target, platform);
  }

  async read(name: string, target: Descriptor, platform: Platform = defaultPlatform()): Promise<Image> {
    const read = (descriptor: Descriptor, limit: number): Promise<Buffer> =>
      this.#content.readAll(descriptor, limit);
    const { descriptor, data, manifest } = await resolveManifest(target, platform, read);
    if (!isConfigMediaType(manifest.config.mediaType)) {
      throw new LayerfsError(
        'MEDIA_TYPE_UNSUPPORTED',
        `${name} is not an image: its config is ${manifest.config.mediaType}`,
        { detail: { name, mediaType: manifest.config.mediaType } },
      );
    }
    const configData = await read(manifest.config, limits.configSize);
    const config = parseConfig(configData);
    return { name, target, descriptor, manifest, manifestData: data, config, configData };
  }
}

export function platformOf(config: ImageConfig): string {
  return formatPlatform({ os: config.os, architecture: config.architecture, variant: config.variant });
}

/** Bytes of a manifest and all it names, each blob once. */
export function contentSize(descriptor: Descriptor, manifest: Manifest): number {
  const sizes = new Map<Digest, number>([[descriptor.digest, descriptor.size]]);
  for (const { digest, size } of [manifest.config, ...manifest.layers]) sizes.set(digest, size);
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
