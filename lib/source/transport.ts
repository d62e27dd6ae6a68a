/** Transports as people type them, in the grammar of containers-transports(5). */
import type { HostPath } from '../bytes.js';
import { LayerfsError } from '../errors.js';
import { parseReference, type Reference } from '../image/reference.js';

/** A directory in the OCI image layout. `name` is matched with the names in its index.json. */
export interface OciTransport {
  readonly kind: 'oci';
  readonly path: HostPath;
  readonly name?: string;
  /** Position in index.json, from 0: the way to images without a name. */
  readonly position?: number;
}

/** An OCI image layout in a tar. The path `-` is standard input or output. */
export interface OciArchiveTransport extends Omit<OciTransport, 'kind'> {
  readonly kind: 'oci-archive';
}

/** What `docker save` writes. The path `-` is standard input or output. */
export interface DockerArchiveTransport {
  readonly kind: 'docker-archive';
  readonly path: HostPath;
  readonly name?: Reference;
  /** Position in manifest.json, from 0. */
  readonly position?: number;
}

/** One root file system: a directory, or a tar (`-` is standard input or output). */
export interface RootfsTransport {
  readonly kind: 'rootfs';
  readonly path: HostPath;
}

export type Transport = OciTransport | OciArchiveTransport | DockerArchiveTransport | RootfsTransport;

const spellings =
  'oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME:TAG] or rootfs:PATH; ' +
  ':@N instead of a tag is the image at position N';

/** `org.opencontainers.image.ref.name` in the grammar of OCI image-spec (annotations.md). */
const refNameGrammar =
  /^(?:[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*)(?:\/[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*)*$/;

/**
 * Takes a transport apart. Nothing is looked up: of `oci:`, `oci-archive:` and `docker-archive:` the path ends at
 * the first colon and whatever follows is the image's name, so that `oci:dir:docker.io/library/debian:12` means one
 * thing only; of `rootfs:` all of the rest is the path. An empty name is none.
 *
 * @throws LayerfsError REFERENCE_INVALID
 */
export function parseTransport(text: string): Transport {
  const [kind, rest] = cut(text);
  if (kind === 'rootfs') {
    if (rest === undefined || rest === '') throw invalid(text, 'the path is missing');
    return { kind, path: rest };
  }
  if (kind !== 'oci' && kind !== 'oci-archive' && kind !== 'docker-archive') {
    throw invalid(
      text,
      rest === undefined ? 'there is no transport' : `${JSON.stringify(kind)} is not a transport`,
    );
  }
  const [path, selector = ''] = cut(rest ?? '');
  if (path === '') throw invalid(text, 'the path is missing');
  if (selector === '') return { kind, path };
  if (selector.startsWith('@')) return { kind, path, position: parsePosition(text, selector.slice(1)) };
  if (kind === 'docker-archive') return { kind, path, name: parseTag(text, selector) };
  if (!refNameGrammar.test(selector)) throw invalid(text, `${JSON.stringify(selector)} is not a name`);
  return { kind, path, name: selector };
}

function cut(text: string): [string, string | undefined] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
}

function parsePosition(text: string, digits: string): number {
  if (!/^\d{1,9}$/.test(digits)) throw invalid(text, `${JSON.stringify(`@${digits}`)} is not a position`);
  return Number(digits);
}

function parseTag(text: string, name: string): Reference {
  const reference = parseReference(name);
  if (reference.digest !== undefined) throw invalid(text, 'a docker-archive names its images by tag only');
  return reference;
}

function invalid(text: string, reason: string): LayerfsError {
  return new LayerfsError('REFERENCE_INVALID', `${JSON.stringify(text)}: ${reason} (${spellings})`, {
    detail: { transport: text },
  });
}
