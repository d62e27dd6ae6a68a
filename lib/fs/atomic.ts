/**
 * Visible means complete: what appears in the store under its final name is whole and, unless the store is
 * volatile, on the disk. This is the only module that renames into the store.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { HostPath } from '../bytes.js';
import { codeOf } from '../errors.js';

export interface Durability {
  /** Whether the data and the directory entries survive a loss of power once the call has resolved. */
  readonly durable: boolean;
}

export interface WriteOptions extends Durability {
  /** Where to write until it is complete: in the file system of `path`. Default: the directory of `path`. */
  readonly temporaryDirectory?: HostPath;
}

/** Makes the entries of a directory durable: names made, renamed or removed in it. */
export async function syncDirectory(path: HostPath): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Makes the contents of a file durable, whoever wrote them. */
export async function syncFile(path: HostPath): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A path that nobody else uses, hidden from listings by its leading dot. */
export function temporaryName(directory: HostPath, stem: string): HostPath {
  return join(directory, `.${stem.slice(0, 100)}.${randomUUID()}.tmp`);
}

/**
 * Replaces a file, or leaves it as it was; nobody ever reads a part of it. A file that is made has mode 0o600.
 * @throws the system error of the first call that failed, with nothing left behind
 */
export async function writeFileAtomic(
  path: HostPath,
  data: Uint8Array | string,
  options: WriteOptions,
): Promise<void> {
  const temporary = temporaryName(options.temporaryDirectory ?? dirname(path), basename(path));
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(data);
      if (options.durable) await file.sync();
    } finally {
      await file.close();
    }
    await renameDurable(temporary, path, options);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Gives a complete file or directory its final name, replacing a file (or an empty directory) of that name. */
export async function renameDurable(from: HostPath, to: HostPath, options: Durability): Promise<void> {
  await rename(from, to);
  if (options.durable) await syncDirectory(dirname(to));
}

/** Makes a directory, and the missing ones above it, with mode 0o700. One that exists stays as it is. */
export async function makeDirectoryDurable(path: HostPath, options: Durability): Promise<void> {
  try {
    await mkdir(path, 0o700);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    if (codeOf(error) !== 'ENOENT') throw error;
    await makeDirectoryDurable(dirname(path), options);
    return makeDirectoryDurable(path, options);
  }
  if (options.durable) await syncDirectory(dirname(path));
}

/** Removes a file; one that is not there is no error. */
export async function removeFileDurable(path: HostPath, options: Durability): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return;
  }
  if (options.durable) await syncDirectory(dirname(path));
}
