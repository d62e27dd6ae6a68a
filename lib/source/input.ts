/** What the path in a transport stands for. */
import { createReadStream, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import type { HostPath } from '../bytes.js';
import { LayerfsError, codeOf, wrapError } from '../errors.js';
import type { BlobLocation } from '../content/location.js';
import type { SourceOptions } from './source.js';

export type Input =
  | { readonly kind: 'directory'; readonly path: HostPath }
  | { readonly kind: 'file'; readonly location: BlobLocation }
  /** What can be read once only: standard input, a FIFO, `/dev/fd/63`. */
  | { readonly kind: 'stream'; readonly stream: Readable };

type InputOptions = Pick<SourceOptions, 'stdin' | 'signal'>;

/** @throws LayerfsError SOURCE_NOT_FOUND, PERMISSION, FILESYSTEM */
export async function openInput(path: HostPath, options: InputOptions): Promise<Input> {
  if (path === '-') return streamed(options.stdin ?? process.stdin, options);
  const file = resolve(path);
  const stats = await statSource(file);
  if (stats.isDirectory()) return { kind: 'directory', path: file };
  if (stats.isFile()) return { kind: 'file', location: { file, offset: 0, size: stats.size } };
  return streamed(createReadStream(file), options);
}

/** @throws LayerfsError SOURCE_NOT_FOUND, PERMISSION, FILESYSTEM */
export async function statSource(path: HostPath): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw wrapError(error, `open ${path}`, { path });
    throw new LayerfsError('SOURCE_NOT_FOUND', `there is no ${path}`, { cause: error, detail: { path } });
  }
}

/** A stream may keep its reader waiting for ever: the signal ends it. */
function streamed(stream: Readable, { signal }: InputOptions): Input {
  // An error that comes before the first read is told to the reader, and would end the process as an event.
  stream.on('error', () => undefined);
  return { kind: 'stream', stream: signal === undefined ? stream : addAbortSignal(signal, stream) };
}
