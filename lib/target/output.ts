/** Where an export goes: a file that is replaced in one step, or a stream. */
import { createWriteStream } from 'node:fs';
import { open, realpath, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Abortable } from '../abort.js';
import type { HostPath } from '../bytes.js';
import { LayerfsError, codeOf, wrapError } from '../errors.js';
import { renameDurable, syncFile, temporaryName, type Durability } from '../fs/atomic.js';

/** A path, or a stream such as process.stdout, which stays open. */
export type Output = HostPath | Writable;

export type OutputSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export interface OutputOptions extends Durability, Abortable {}

/**
 * Writes all of `source`. A file appears, or replaces one of its name, when it is complete, with the mode that the
 * umask gives; on rejection it is as it was. What is no regular file (a FIFO, `/dev/fd/63`) is written to as it
 * stands.
 *
 * @throws LayerfsError TARGET_EXISTS for a directory, NO_SPACE, PERMISSION, ABORTED, FILESYSTEM, and whatever
 *   `source` throws
 */
export async function writeOutput(
  source: OutputSource,
  output: Output,
  options: OutputOptions,
): Promise<void> {
  const where = typeof output === 'string' ? output : 'the output';
  try {
    if (typeof output !== 'string') await writeStream(source, output, options);
    else await writeFile(source, output, options);
  } catch (error) {
    throw wrapError(error, `write ${where}`, { path: where });
  }
}

async function writeStream(source: OutputSource, output: Writable, options: OutputOptions): Promise<void> {
  await pipeline(source, output, { signal: options.signal, end: false });
  // Resolves when everything before it has gone out.
  await new Promise<void>((resolve, reject) => {
    output.write(Buffer.alloc(0), (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

async function writeFile(source: OutputSource, path: HostPath, options: OutputOptions): Promise<void> {
  const existing = await find(path);
  if (existing?.kind === 'directory') {
    throw new LayerfsError('TARGET_EXISTS', `${path} is a directory`, { detail: { path } });
  }
  if (existing?.kind === 'special') {
    await pipeline(source, createWriteStream(path), { signal: options.signal });
    return;
  }
  const target = existing?.path ?? path;
  const temporary = temporaryName(dirname(target), basename(target));
  const handle = await open(temporary, 'wx');
  try {
    await pipeline(source, handle.createWriteStream(), { signal: options.signal });
    if (options.durable) await syncFile(temporary);
    await renameDurable(temporary, target, options);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** What is at a path, and where it really is: a symlink to the file stays one. */
async function find(
  path: HostPath,
): Promise<{ readonly kind: 'directory' | 'file' | 'special'; readonly path: HostPath } | undefined> {
  try {
    const stats = await stat(path);
    const kind = stats.isDirectory() ? 'directory' : stats.isFile() ? 'file' : 'special';
    return { kind, path: kind === 'file' ? await realpath(path) : path };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
