/** Descriptors (OCI image-spec, descriptor.md): what names a blob and says what its bytes must be. */
import { algorithmOf, digestOf, isDigest, type Digest } from '../digest.js';
import { LayerfsError } from '../errors.js';
import { asObject, asString, asStringMap, asStrings, invalid, optional } from './json.js';
import { parsePlatformJson, type Platform } from './platform.js';

export type Annotations = Readonly<Record<string, string>>;

/** Plain data: `JSON.stringify` of it is a descriptor again. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Length of the blob in bytes. */
  readonly size: number;
  readonly urls?: readonly string[] | undefined;
  readonly annotations?: Annotations | undefined;
  /** The blob itself in base64; its size and digest have been checked. */
  readonly data?: string | undefined;
  /** In an index: what the manifest runs on. */
  readonly platform?: Platform | undefined;
  readonly artifactType?: string | undefined;
}

/** The annotation by which an OCI layout's index.json names an image: a tag or a whole reference. */
export const refNameAnnotation = 'org.opencontainers.image.ref.name';

/** The descriptor of bytes at hand. */
export function descriptorOf(mediaType: string, data: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(data), size: data.length };
}

// RFC 6838, section 4.2
const mediaTypeGrammar = /^[a-zA-Z0-9][\w!#$&^.+-]{0,126}\/[a-zA-Z0-9][\w!#$&^.+-]{0,126}$/;

/**
 * A descriptor whose digest, size and embedded data have been checked.
 * @param at where it stands, for messages: `manifest.layers[3]`
 * @throws LayerfsError MANIFEST_INVALID, DIGEST_INVALID; SIZE_MISMATCH or DIGEST_MISMATCH where `data` is
 *   another blob
 */
export function parseDescriptor(value: unknown, at: string): Descriptor {
  const json = asObject(value, at);
  const mediaType = asString(json['mediaType'], `${at}.mediaType`);
  if (!mediaTypeGrammar.test(mediaType)) {
    throw invalid(`${at}.mediaType`, `not a media type: ${JSON.stringify(mediaType)}`);
  }
  const digest = digestAt(json['digest'], `${at}.digest`);
  const size = sizeAt(json['size'], `${at}.size`, digest);
  const descriptor: Descriptor = {
    mediaType,
    digest,
    size,
    urls: optional(json, 'urls', at, asStrings),
    annotations: optional(json, 'annotations', at, asStringMap),
    data: optional(json, 'data', at, asString),
    platform: optional(json, 'platform', at, parsePlatformJson),
    artifactType: optional(json, 'artifactType', at, asString),
  };
  if (descriptor.data !== undefined) checkEmbedded(descriptor.data, descriptor, at);
  return descriptor;
}

/** @throws LayerfsError DIGEST_INVALID naming the field */
export function digestAt(value: unknown, at: string): Digest {
  if (isDigest(value)) return value;
  throw new LayerfsError('DIGEST_INVALID', `${at}: not a digest: ${JSON.stringify(value)}`, {
    detail: { field: at, digest: value },
  });
}

function sizeAt(value: unknown, at: string, digest: Digest): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw invalid(at, `must be a whole number of bytes, not ${JSON.stringify(value)}`);
  }
  if (value === 0 && digest !== digestOf('', algorithmOf(digest))) {
    throw invalid(at, `is 0, but ${digest} is not the digest of no bytes`);
  }
  return value;
}

function checkEmbedded(base64: string, descriptor: Descriptor, at: string): void {
  const data = Buffer.from(base64, 'base64');
  if (data.length !== descriptor.size) {
    throw new LayerfsError('SIZE_MISMATCH', `${at}.data: ${data.length} bytes, not ${descriptor.size}`, {
      detail: { field: `${at}.data`, expected: descriptor.size, actual: data.length },
    });
  }
  const actual = digestOf(data, algorithmOf(descriptor.digest));
  if (actual !== descriptor.digest) {
    throw new LayerfsError('DIGEST_MISMATCH', `${at}.data: has digest ${actual}, not ${descriptor.digest}`, {
      detail: { field: `${at}.data`, expected: descriptor.digest, actual },
    });
  }
}
