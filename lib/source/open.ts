/** From the text of a transport to an open source. */
import { openDockerArchive } from './docker-archive.js';
import { openOci, openOciArchive } from './oci.js';
import { openRootfs } from './rootfs.js';
import type { ImageSource, SourceOptions } from './source.js';
import { parseTransport } from './transport.js';

/**
 * Opens what an image is to be imported from. What comes compressed or from a stream, and what has to be packed
 * first, is written to `options.temporary`, until the source is disposed of; after a rejection nothing is left
 * there.
 *
 * @param text `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME:TAG]` or `rootfs:PATH`
 * @throws LayerfsError REFERENCE_INVALID, SOURCE_NOT_FOUND, IMAGE_NOT_FOUND, ARCHIVE_INVALID, MANIFEST_INVALID,
 *   BLOB_MISSING, COMPRESSION_INVALID, COMPRESSION_UNSUPPORTED, ENTRY_INVALID, LIMIT_EXCEEDED, NO_SPACE,
 *   PERMISSION, ABORTED, FILESYSTEM
 */
export async function openSource(text: string, options: SourceOptions): Promise<ImageSource> {
  const transport = parseTransport(text);
  switch (transport.kind) {
    case 'oci':
      return openOci(transport, text);
    case 'oci-archive':
      return openOciArchive(transport, text, options);
    case 'docker-archive':
      return openDockerArchive(transport, text, options);
    case 'rootfs':
      return openRootfs(transport, text, options);
  }
}
