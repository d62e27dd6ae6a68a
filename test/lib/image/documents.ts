/** Manifests, indexes and configs as values, and a place to read them from. */
import { LayerfsError } from '../../../lib/errors.js';
import { digestOf, type Digest } from '../../../lib/digest.js';
import { descriptorOf, type Descriptor } from '../../../lib/image/descriptor.js';
import { mediaTypes } from '../../../lib/image/media-type.js';
import type { ReadBlob } from '../../../lib/image/resolve.js';

export type Json = Record<string, unknown>;

export function encode(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

export const layer = descriptorOf(mediaTypes.ociLayerGzip, Buffer.from('a layer'));

export function config(fields: Json = {}): Json {
  const rootfs = { type: 'layers', diff_ids: [digestOf('a layer, uncompressed')] };
  return { architecture: 'amd64', os: 'linux', rootfs, ...fields };
}

export function manifest(fields: Json = {}): Json {
  const of = descriptorOf(mediaTypes.ociConfig, encode(config()));
  return { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: of, layers: [layer], ...fields };
}

export function index(manifests: readonly Json[] | readonly Descriptor[], fields: Json = {}): Json {
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests, ...fields };
}

/** Documents by digest, counting how often each is read. */
export class Blobs {
  readonly #data = new Map<Digest, Buffer>();
  readonly reads: Digest[] = [];

  add(mediaType: string, value: unknown, platform?: Json): Descriptor {
    const data = encode(value);
    const descriptor = descriptorOf(mediaType, data);
    this.#data.set(descriptor.digest, data);
    return { ...descriptor, ...(platform === undefined ? {} : { platform }) } as Descriptor;
  }

  /** An image for a platform, with its config. */
  image(architecture: string, fields: Json = {}): Descriptor {
    const of = this.add(mediaTypes.ociConfig, config({ architecture }));
    return this.add(mediaTypes.ociManifest, manifest({ config: of, ...fields }));
  }

  readonly read: ReadBlob = async ({ digest }) => {
    this.reads.push(digest);
    const data = this.#data.get(digest);
    if (data === undefined) throw new LayerfsError('BLOB_MISSING', digest);
    return data;
  };
}
