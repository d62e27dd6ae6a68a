/** What the path in a transport stands for. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { HostPath } from '../bytes.js';
import { LayerfsError, codeOf, wrapError } from '../errors.js';
import type { BlobLocation } from './location.js';

export type Input =
  | { readonly kind: 'directory'; readonly path: HostPath }
  | { readonly kind: 'file'; readonly location: BlobLocation }
  /** What can be read once only: standard input, a FIFO, `/dev/fd/63`. */
  | { readonly kind: 'stream'; readonly stream: Readable };

/** @throws LayerfsError SOURCE_NOT_FOUND, PERMISSION, FILESYSTEM */
export async function openInput(path: HostPath, stdin: Readable = process.stdin): Promise<Input> {
  if (path === '-') return { kind: 'stream', stream: stdin };
  const file = resolve(path);
  try {
    const stats = await stat(file);
    if (stats.isDirectory()) return { kind: 'directory', path: file };
    if (stats.isFile()) return { kind: 'file', location: { file, offset: 0, size: stats.size } };
    return { kind: 'stream', stream: createReadStream(file) };
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw wrapError(error, `open ${file}`, { path: file });
    throw new LayerfsError('SOURCE_NOT_FOUND', `there is no ${file}`, {
      cause: error,
      detail: { path: file },
    });
  }
}
