/** The transports `oci:` and `oci-archive:`. */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { HostPath } from '../bytes.js';
import { LayerfsError, codeOf, wrapError } from '../errors.js';
import { statSource } from './input.js';
import type { BlobLocation } from '../content/location.js';
import { OciLayoutSource } from './oci-layout.js';
import { openOuterArchive } from './outer-archive.js';
import type { ImageSource, SourceOptions } from './source.js';
import { TemporaryFiles } from './temporary-files.js';
import type { OciArchiveTransport, OciTransport } from './transport.js';

/**
 * Opens a directory. Its files may be symbolic links (Bazel lays images out so): what they lead to has its digest
 * or is refused.
 *
 * @throws LayerfsError SOURCE_NOT_FOUND, and as OciLayoutSource.open
 */
export async function openOci(transport: OciTransport, description: string): Promise<ImageSource> {
  const directory = resolve(transport.path);
  if (!(await statSource(directory)).isDirectory()) {
    const hint = 'of an archive: oci-archive:FILE';
    throw new LayerfsError('SOURCE_NOT_FOUND', `${directory} is not a directory (${hint})`, {
      detail: { path: directory },
    });
  }
  const locate = (name: string): Promise<BlobLocation | undefined> => locateFile(join(directory, name));
  return OciLayoutSource.open(description, locate, transport, async () => undefined);
}

async function locateFile(file: HostPath): Promise<BlobLocation | undefined> {
  try {
    const stats = await stat(file);
    return stats.isFile() ? { file, offset: 0, size: stats.size } : undefined;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw wrapError(error, `open ${file}`, { path: file });
  }
}

/** Opens an archive; throws as openOuterArchive and OciLayoutSource.open. */
export async function openOciArchive(
  transport: OciArchiveTransport,
  description: string,
  options: SourceOptions,
): Promise<ImageSource> {
  const files = new TemporaryFiles(options.temporary);
  try {
    const archive = await openOuterArchive(transport.path, files, options);
    const locate = async (name: string): Promise<BlobLocation | undefined> => archive.locate(name);
    return await OciLayoutSource.open(description, locate, transport, () => files[Symbol.asyncDispose]());
  } catch (error) {
    await files[Symbol.asyncDispose]();
    throw error;
  }
}
