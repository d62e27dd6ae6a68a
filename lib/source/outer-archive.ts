/** A docker-archive or oci-archive, opened for reading its members in place. */
import { decompressed } from '../archive/decompressed.js';
import type { ArchiveMembers } from '../archive/members.js';
import { scanArchive } from '../archive/scan.js';
import type { HostPath } from '../bytes.js';
import { LayerfsError } from '../errors.js';
import { openInput, type Input } from './input.js';
import { compressionAt, readLocation, type BlobLocation } from '../content/location.js';
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
 * Finds the members of an archive. A file is read in place; what is compressed as a whole (docker load takes that
 * too) or can be read once only is written out first, among `files`.
 *
 * @throws LayerfsError SOURCE_NOT_FOUND, ARCHIVE_INVALID, COMPRESSION_INVALID, COMPRESSION_UNSUPPORTED,
 *   LIMIT_EXCEEDED, NO_SPACE, ABORTED
 */
export async function openOuterArchive(
  path: HostPath,
  files: TemporaryFiles,
  options: SourceOptions,
): Promise<OuterArchive> {
  const input = await openInput(path, options);
  if (input.kind === 'directory') {
    throw new LayerfsError('ARCHIVE_INVALID', `${path} is a directory, not an archive`, { detail: { path } });
  }
  const { file } = await plain(input, files, options);
  const name = path === '-' ? 'standard input' : path;
  return new OuterArchive(file, await scanArchive(file, { name, signal: options.signal }));
}

async function plain(
  input: Exclude<Input, { kind: 'directory' }>,
  files: TemporaryFiles,
  options: SourceOptions,
): Promise<BlobLocation> {
  if (input.kind === 'stream') return files.write('archive', decompressed(input.stream, options), options);
  const { location } = input;
  if ((await compressionAt(location)) === 'none') return location;
  return files.write('archive', decompressed(readLocation(location), options), options);
}
