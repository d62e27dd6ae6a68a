/** Reading blobs where they lie. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Abortable } from '../abort.js';
import type { HostPath } from '../bytes.js';
import { detectCompression, detectionLength, type Compression } from '../compress/detect.js';
import { verified } from './verify.js';
import { LayerfsError, wrapError } from '../errors.js';
import type { Descriptor } from '../image/descriptor.js';
import type { LayerCompression } from '../image/media-type.js';

/**
 * Where a blob lies: in a file of its own, or somewhere in an archive. Plain data: a worker thread opens the file
 * itself, which holds at least `offset + size` bytes.
 */
export interface BlobLocation {
  readonly file: HostPath;
  readonly offset: number;
  /** In bytes. */
  readonly size: number;
}

const readSize = 1024 * 1024;

/**
 * The bytes at a location, verified by nobody.
 * @throws LayerfsError ABORTED, FILESYSTEM, PERMISSION
 */
export async function* readLocation(location: BlobLocation, options: Abortable = {}): AsyncGenerator<Buffer> {
  const { file, offset, size } = location;
  if (size === 0) return;
  const stream = createReadStream(file, {
    start: offset,
    end: offset + size - 1,
    highWaterMark: readSize,
    signal: options.signal,
  });
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (error) {
    throw wrapError(error, `read ${file}`, { path: file });
  }
}

/**
 * A small file as a whole, verified by nobody.
 * @param limit in bytes: a larger one is not read
 * @throws LayerfsError LIMIT_EXCEEDED, and as {@link readLocation}
 */
export async function readWhole(location: BlobLocation, what: string, limit: number): Promise<Buffer> {
  assertWithin(what, location.size, limit);
  const chunks: Buffer[] = [];
  for await (const chunk of readLocation(location)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * A small blob as a whole, verified.
 * @param limit in bytes: a larger one is not read
 * @throws LayerfsError LIMIT_EXCEEDED, SIZE_MISMATCH, DIGEST_MISMATCH, and as {@link readLocation}
 */
export async function readDocument(
  location: BlobLocation,
  descriptor: Descriptor,
  limit: number,
  options: Abortable = {},
): Promise<Buffer> {
  assertWithin(descriptor.digest, descriptor.size, limit);
  const chunks: Buffer[] = [];
  for await (const chunk of verified(readLocation(location), descriptor, options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** @throws LayerfsError LIMIT_EXCEEDED */
export function assertWithin(what: string, size: number, limit: number): void {
  if (size <= limit) return;
  throw new LayerfsError('LIMIT_EXCEEDED', `${what}: ${size} bytes, the limit is ${limit}`, {
    detail: { actual: size, limit },
  });
}

/** How the bytes at a location are compressed, by their beginning. */
export async function compressionAt(location: BlobLocation): Promise<Compression> {
  const file = await open(location.file);
  try {
    const length = Math.min(detectionLength, location.size);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, location.offset);
    return detectCompression(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

/**
 * The same for a layer.
 * @throws LayerfsError COMPRESSION_UNSUPPORTED for what no layer may be compressed with
 */
export async function layerCompressionAt(location: BlobLocation, what: string): Promise<LayerCompression> {
  const compression = await compressionAt(location);
  if (compression !== 'bzip2' && compression !== 'xz') return compression;
  throw new LayerfsError(
    'COMPRESSION_UNSUPPORTED',
    `${what} is compressed with ${compression}, which no layer may be`,
  );
}
