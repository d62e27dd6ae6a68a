/** Finding what an outer archive (docker-archive, oci-archive) holds, without unpacking it. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import * as tar from 'tar-stream';
import { throwIfAborted, type Abortable } from '../abort.js';
import type { HostPath } from '../bytes.js';
import { LayerfsError, messageOf, wrapError } from '../errors.js';
import { limits } from '../limits.js';
import { ArchiveMembers } from './members.js';

/** Members of one archive: an image of 10,000 layers in the oldest docker form has 40,000. */
const memberLimit = 200_000;
/** A body this long is jumped over; reading through a shorter one costs less than starting again behind it. */
const jumpSize = 256 * 1024;
const blockSize = 512;

/** tar-stream's header as it is at run time: its types lack `byteOffset` and the nulls. */
interface ScannedHeader extends Omit<tar.Header, 'type' | 'linkname'> {
  readonly type: tar.Header['type'] | null;
  readonly linkname: string | null;
  /** Where the body begins, counted from the first byte that was parsed. */
  readonly byteOffset: number;
}

export interface ScanOptions extends Abortable {
  /** What messages call the archive. Default: the file's path. */
  readonly name?: string;
}

/**
 * Every file and link of an uncompressed tar, with its place in the file. Only headers and short bodies are read:
 * an archive of many gigabytes costs what its number of members costs.
 *
 * @throws LayerfsError ARCHIVE_INVALID (damaged or cut short), LIMIT_EXCEEDED, ABORTED, FILESYSTEM
 */
export async function scanArchive(file: HostPath, options: ScanOptions = {}): Promise<ArchiveMembers> {
  const { name = file, signal } = options;
  const members = new ArchiveMembers();
  try {
    const { size } = await stat(file);
    for (let position = 0; position < size;) {
      position = await scanFrom({ file, name, size, signal }, position, members);
    }
    return members;
  } catch (error) {
    throw wrapError(error, `read the archive ${name}`);
  }
}

interface Scanned {
  readonly file: HostPath;
  readonly name: string;
  readonly size: number;
  readonly signal: AbortSignal | undefined;
}

/** Scans from `start` (a header) to the end, or to a long body. Resolves to where the scan has to go on. */
async function scanFrom(
  { file, name, size, signal }: Scanned,
  start: number,
  members: ArchiveMembers,
): Promise<number> {
  const extract = tar.extract();
  const input = createReadStream(file, { start });
  let inputError: Error | undefined;
  input.on('error', (error) => {
    inputError = error;
    extract.destroy(error);
  });
  input.pipe(extract);
  try {
    for await (const entry of extract) {
      throwIfAborted(signal, `read the archive ${name}`);
      const header = entry.header as ScannedHeader;
      const offset = start + header.byteOffset;
      const end = offset + Math.ceil(header.size / blockSize) * blockSize;
      if (!Number.isSafeInteger(header.size) || end > size) {
        throw damaged(name, `the member ${JSON.stringify(header.name)} is cut short`);
      }
      add(name, members, header, offset);
      if (header.size >= jumpSize) return end;
      entry.resume();
    }
    return size;
  } catch (error) {
    if (error instanceof LayerfsError) throw error;
    throw inputError ?? damaged(name, messageOf(error), error);
  } finally {
    input.destroy();
    extract.destroy();
  }
}

function add(archive: string, members: ArchiveMembers, header: ScannedHeader, offset: number): void {
  const { name, type, size } = header;
  const linkname = header.linkname ?? '';
  if (members.size >= memberLimit) {
    throw new LayerfsError('LIMIT_EXCEEDED', `${archive} has more than ${memberLimit} members`);
  }
  if (name.length > limits.pathLength || linkname.length > limits.pathLength) {
    throw new LayerfsError('LIMIT_EXCEEDED', `${archive} has a name over ${limits.pathLength} bytes`);
  }
  if (type === 'file' || type === 'contiguous-file') members.addFile(name, { offset, size });
  else if (type === 'link') members.addHardlink(name, linkname);
  else if (type === 'symlink') members.addSymlink(name, linkname);
}

function damaged(archive: string, reason: string, cause?: unknown): LayerfsError {
  return new LayerfsError('ARCHIVE_INVALID', `${archive} is not a whole tar archive: ${reason}`, {
    cause,
    detail: { archive },
  });
}
