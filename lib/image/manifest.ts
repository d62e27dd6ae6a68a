/** Image manifests (OCI image-spec, manifest.md; Docker's image manifest version 2, schema 2). */
import { LayerfsError } from '../errors.js';
import { limits } from '../limits.js';
import { parseDescriptor, type Annotations, type Descriptor } from './descriptor.js';
import { asArray, asString, asStringMap, invalid, optional, parseJson, type JsonObject } from './json.js';
import { isIndexMediaType, isManifestMediaType, isSchema1MediaType, mediaTypes } from './media-type.js';

export interface Manifest {
  readonly kind: 'manifest';
  readonly mediaType: string;
  readonly artifactType?: string | undefined;
  readonly config: Descriptor;
  /** Bottom first. */
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor | undefined;
  readonly annotations?: Annotations | undefined;
}

/** An image index (OCI image-spec, image-index.md) or Docker's manifest list. */
export interface ImageIndex {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly artifactType?: string | undefined;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor | undefined;
  readonly annotations?: Annotations | undefined;
}

/**
 * A manifest or an index, whichever the bytes hold.
 * @param expected the media type under which the bytes were named; where it is given, `mediaType` must be the
 *   same
 * @throws LayerfsError MANIFEST_INVALID, DIGEST_INVALID, LIMIT_EXCEEDED; MEDIA_TYPE_UNSUPPORTED for schema 1
 *   and unknown types
 */
export function parseManifestOrIndex(data: Uint8Array, expected?: string): Manifest | ImageIndex {
  if (expected !== undefined) assertDocumentType(expected);
  const json = parseJson(data, 'manifest', limits.manifestSize);
  const stated = optional(json, 'mediaType', 'manifest', asString);
  if (stated !== undefined) assertDocumentType(stated);
  if (json['schemaVersion'] === 1) throw unsupported('schemaVersion 1');
  if (json['schemaVersion'] !== 2) throw invalid('manifest.schemaVersion', 'must be 2');
  if (stated !== undefined && expected !== undefined && stated !== expected) {
    throw invalid('manifest.mediaType', `is ${stated}, but the document was named as ${expected}`);
  }
  assertOneMeaning(json);
  const isIndex = 'manifests' in json;
  const mediaType = stated ?? expected ?? (isIndex ? mediaTypes.ociIndex : mediaTypes.ociManifest);
  if (isIndexMediaType(mediaType) !== isIndex) {
    throw invalid(
      'manifest',
      isIndex ? `has "manifests", but is named as ${mediaType}` : 'lacks "manifests"',
    );
  }
  return isIndex ? indexOf(json, mediaType) : manifestOf(json, mediaType);
}

/** A manifest; an index is refused. Throws as {@link parseManifestOrIndex}. */
export function parseManifest(data: Uint8Array, expected?: string): Manifest {
  const document = parseManifestOrIndex(data, expected);
  if (document.kind === 'manifest') return document;
  throw invalid('manifest', 'is an index, where a manifest is needed');
}

/** An index; a manifest is refused. Throws as {@link parseManifestOrIndex}. */
export function parseIndex(data: Uint8Array, expected?: string): ImageIndex {
  const document = parseManifestOrIndex(data, expected);
  if (document.kind === 'index') return document;
  throw invalid('manifest', 'is a manifest, where an index is needed');
}

/**
 * The bytes of a new manifest: fields in the order of the specification, so that the same image has the same
 * digest.
 */
export function encodeManifest(manifest: Omit<Manifest, 'kind' | 'mediaType'>): Buffer {
  const { artifactType, config, layers, subject, annotations } = manifest;
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType,
      config,
      layers,
      subject,
      annotations,
    }),
  );
}

function manifestOf(json: JsonObject, mediaType: string): Manifest {
  return {
    kind: 'manifest',
    mediaType,
    artifactType: optional(json, 'artifactType', 'manifest', asString),
    config: parseDescriptor(json['config'], 'manifest.config'),
    layers: descriptors(json['layers'], 'manifest.layers', limits.imageLayers),
    subject: optional(json, 'subject', 'manifest', parseDescriptor),
    annotations: optional(json, 'annotations', 'manifest', asStringMap),
  };
}

function indexOf(json: JsonObject, mediaType: string): ImageIndex {
  return {
    kind: 'index',
    mediaType,
    artifactType: optional(json, 'artifactType', 'manifest', asString),
    manifests: descriptors(json['manifests'], 'manifest.manifests', limits.indexManifests),
    subject: optional(json, 'subject', 'manifest', parseDescriptor),
    annotations: optional(json, 'annotations', 'manifest', asStringMap),
  };
}

function descriptors(value: unknown, at: string, limit: number): Descriptor[] {
  return asArray(value, at, limit).map((item, i) => parseDescriptor(item, `${at}[${i}]`));
}

/**
 * One digest must not mean two images (CVE-2021-41190). Go matches field names without regard to case, so that
 * `Manifests` is a second meaning too.
 */
function assertOneMeaning(json: JsonObject): void {
  const named = ['manifests', 'layers', 'config', 'fsLayers', 'mediaType'];
  for (const key of Object.keys(json)) {
    const field = named.find((name) => name.toLowerCase() === key.toLowerCase());
    if (field !== undefined && field !== key)
      throw invalid('manifest', `has "${key}", which some read as "${field}"`);
  }
  for (const other of ['layers', 'config', 'fsLayers']) {
    if ('manifests' in json && other in json)
      throw invalid('manifest', `has both "manifests" and "${other}"`);
  }
  if ('layers' in json && 'fsLayers' in json) throw invalid('manifest', 'has both "layers" and "fsLayers"');
}

function assertDocumentType(mediaType: string): void {
  if (isSchema1MediaType(mediaType)) throw unsupported(mediaType);
  if (isManifestMediaType(mediaType) || isIndexMediaType(mediaType)) return;
  throw new LayerfsError(
    'MEDIA_TYPE_UNSUPPORTED',
    `${JSON.stringify(mediaType)} is neither a manifest nor an index`,
    {
      detail: { mediaType },
    },
  );
}

function unsupported(what: string): LayerfsError {
  return new LayerfsError(
    'MEDIA_TYPE_UNSUPPORTED',
    `Docker image manifest schema 1 (${what}) is not supported: push the image again with a current tool`,
    { detail: { mediaType: what } },
  );
}
