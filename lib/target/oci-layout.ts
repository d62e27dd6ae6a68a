/** The files of an OCI image layout (OCI image-spec, image-layout.md) that say what is in it. */
import { algorithmOf, hexOf, type Digest } from '../digest.js';
import { refNameAnnotation, type Descriptor } from '../image/descriptor.js';
import { asObject } from '../image/json.js';
import { parseIndex } from '../image/manifest.js';
import { mediaTypes } from '../image/media-type.js';

/** An image to be written, as it is: no byte of it changes. */
export interface OciExport {
  /** The manifest, or the index where all platforms are exported. */
  readonly root: Descriptor;
  /** Everything the image consists of, `root` included. The same blob may be there twice. */
  readonly blobs: readonly Descriptor[];
  /** The bytes of a blob, verified (as ContentStore.read does). */
  read(descriptor: Descriptor): AsyncIterable<Uint8Array>;
}

/** Contents of the file `oci-layout`. */
export const ociLayout = Buffer.from('{"imageLayoutVersion":"1.0.0"}');

/** Where a blob is, in a layout. */
export function blobName(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}

/** Each blob once. */
export function distinct(blobs: readonly Descriptor[]): Descriptor[] {
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
}

/** The index.json of a layout that holds one image. */
export function newIndex(root: Descriptor, name: string | undefined): Buffer {
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [named(root, name)] };
  return Buffer.from(JSON.stringify(index));
}

/**
 * The index.json of a layout after one more image: the name moves to it, and its own entry without a name is not
 * repeated. All else, fields that layerfs does not know included, stays as it was.
 *
 * @throws LayerfsError MANIFEST_INVALID where `data` is not an index
 */
export function updatedIndex(data: Buffer, root: Descriptor, name: string | undefined): Buffer {
  parseIndex(data);
  const index = asObject(JSON.parse(data.toString('utf8')), 'index.json');
  const kept = (index['manifests'] as readonly Descriptor[]).filter((entry) => {
    const entryName = entry.annotations?.[refNameAnnotation];
    return entryName === undefined ? entry.digest !== root.digest : entryName !== name;
  });
  if (name === undefined && kept.some(({ digest }) => digest === root.digest)) return data;
  return Buffer.from(JSON.stringify({ ...index, manifests: [...kept, named(root, name)] }));
}

function named(root: Descriptor, name: string | undefined): Descriptor {
  const annotations = Object.entries(root.annotations ?? {}).filter(([key]) => key !== refNameAnnotation);
  if (name !== undefined) annotations.push([refNameAnnotation, name]);
  return { ...root, annotations: annotations.length === 0 ? undefined : Object.fromEntries(annotations) };
}
