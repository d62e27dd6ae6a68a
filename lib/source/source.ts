/** What an image can be imported from. */
import type { Readable } from 'node:stream';
import type { Abortable } from '../abort.js';
import type { HostPath, LayerPath } from '../bytes.js';
import { LayerfsError } from '../errors.js';
import type { Descriptor } from '../image/descriptor.js';
import type { BlobLocation } from '../content/location.js';

export type { BlobLocation } from '../content/location.js';

/** An image in a source: a manifest, or an index for several platforms. */
export interface SourceRoot {
  readonly descriptor: Descriptor;
  /** As the source has it: a tag or a whole reference. An image with two names is there twice. */
  readonly name?: string;
}

/**
 * A source that has been opened. After it was disposed of every method rejects CLOSED, and its temporary files are
 * gone.
 */
export interface ImageSource extends AsyncDisposable {
  /** For messages: the transport as it was typed. */
  readonly description: string;

  /**
   * The images that the transport chose, in the source's order; never none. Without a tag or a position in the
   * transport: all of them.
   *
   * @throws LayerfsError IMAGE_NOT_FOUND, naming the images there are
   */
  roots(options?: Abortable): Promise<readonly SourceRoot[]>;

  /**
   * A manifest, index or config as a whole, verified.
   *
   * @param limit in bytes
   * @throws LayerfsError BLOB_MISSING, LIMIT_EXCEEDED, SIZE_MISMATCH, DIGEST_MISMATCH
   */
  readBlob(descriptor: Descriptor, limit: number, options?: Abortable): Promise<Buffer>;

  /**
   * Where a blob lies until the source is disposed of. Its size has been compared with the descriptor's, its digest
   * not: whoever reads it verifies it.
   *
   * @throws LayerfsError BLOB_MISSING, SIZE_MISMATCH
   */
  locateBlob(descriptor: Descriptor): Promise<BlobLocation>;
}

export type SourceWarningCode = 'mount-point' | 'socket' | 'whiteout' | 'xattr';

/** Something that an image cannot carry, or does not on purpose. */
export interface SourceWarning {
  readonly code: SourceWarningCode;
  readonly path: LayerPath;
  readonly message: string;
}

export interface SourceOptions extends Abortable {
  /** A directory for what has to be unwrapped or made before it can be read. */
  readonly temporary: HostPath;
  /** What the path `-` reads. Default: process.stdin. */
  readonly stdin?: Readable;
  readonly onWarning?: (warning: SourceWarning) => void;
}

export function blobMissing(description: string, descriptor: Descriptor): LayerfsError {
  const { digest } = descriptor;
  return new LayerfsError('BLOB_MISSING', `${description} has no blob ${digest}`, { detail: { digest } });
}

export function closedSource(description: string): LayerfsError {
  return new LayerfsError('CLOSED', `${description} has been closed`);
}
