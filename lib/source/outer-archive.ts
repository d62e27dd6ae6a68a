/** A docker-archive or oci-archive, opened for reading its members in place. */
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { decompressed } from '../archive/decompressed.js';
import type { ArchiveMembers } from '../archive/members.js';
import { scanArchive } from '../archive/scan.js';
import type { HostPath } from '../bytes.js';
import { LayerfsError, wrapError } from '../errors.js';
import { openInput } from './input.js';
import { compressionAt, readLocation, type BlobLocation } from './location.js';
import type { SourceOptions } from './source.js';
import type { TemporaryFiles } from './temporary-files.js';

export class OuterArchive {
  readonly #file: HostPath;
  readonly #members: ArchiveMembers;

  constructor(file: HostPath, members: ArchiveMembers) {
    this.#file = file;
    this.#members = members;
  }

  /** Where a member lies; undefined for a name that is not there, or from which no link leads to a file. */
  locate(name: string): BlobLocation | undefined {
    const member = this.#members.get(name);
    return member === undefined ? undefined : { file: this.#file, ...member };
  }
}

/**
 * Finds the members of an archive. A file is read in place; what is compressed as a whole (docker load takes that too) or can
 * be read once only is written out first, among `files`.
 *
 * @throws LayerfsError SOURCE_NOT_FOUND, ARCHIVE_INVALID, COMPRESSION_INVALID, COMPRESSION_UNSUPPORTED, LIMIT_EXCEEDED,
 *   NO_SPACE, ABORTED
 */
export async function openOuterArchive(
  path: HostPath,
  files: TemporaryFiles,
  options: SourceOptions,
): Promise<OuterArchive> {
  const input = await openInput(path, options.stdin);
  if (input.kind === 'directory') {
    throw new LayerfsError('ARCHIVE_INVALID', `${path} is a directory, not an archive`, { detail: { path } });
  }
  let file: HostPath;
  if (input.kind === 'file' && (await compressionAt(input.location)) === 'none') {
    file = input.location.file;
  } else {
    file = files.path('archive');
    const source = input.kind === 'file' ? readLocation(input.location) : input.stream;
    try {
      await pipeline(decompressed(source, options), createWriteStream(file, { mode: 0o600 }), {
        signal: options.signal,
      });
    } catch (error) {
      throw wrapError(error, `unwrap ${path}`, { path });
    }
  }
  return new OuterArchive(
    file,
    await scanArchive(file, { name: path === '-' ? 'standard input' : path, signal: options.signal }),
  );
}
