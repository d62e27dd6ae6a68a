/** The transport `rootfs:`: one file system tree as an image of one layer. */
import { decompressed } from '../archive/decompressed.js';
import { bytes, type HostPath } from '../bytes.js';
import type { Digest } from '../digest.js';
import { wrapError } from '../errors.js';
import type { Descriptor } from '../image/descriptor.js';
import { encodeManifest } from '../image/manifest.js';
import { layerMediaType, mediaTypes } from '../image/media-type.js';
import { AT_FDCWD, O_DIRECTORY, O_RDONLY, close, openat } from '../sys/index.js';
import { AssembledSource, Assembly } from './assembled.js';
import { DigestMeter, metered, digestOfStream } from './digest-stream.js';
import { openInput } from './input.js';
import { layerCompressionAt, readLocation, type BlobLocation } from '../content/location.js';
import { creationDate, encodeRootfsConfig } from './rootfs-config.js';
import { packDirectory } from './rootfs-directory.js';
import type { ImageSource, SourceOptions } from './source.js';
import { TemporaryFiles } from './temporary-files.js';
import type { RootfsTransport } from './transport.js';

/** The one layer, wherever it lies. */
interface Layer {
  readonly location: BlobLocation;
  readonly mediaType: string;
  readonly digest: Digest;
  readonly diffId: Digest;
}

/**
 * Opens a directory, which is packed into a tar at once, or a tar (plain, gzip or zstd), which becomes the layer as
 * it stands. Manifest and config are made: the platform is that of this process, the date now or SOURCE_DATE_EPOCH.
 *
 * @throws LayerfsError SOURCE_NOT_FOUND, COMPRESSION_INVALID, COMPRESSION_UNSUPPORTED, NO_SPACE, ABORTED, and as
 *   packDirectory
 */
export async function openRootfs(
  transport: RootfsTransport,
  description: string,
  options: SourceOptions,
): Promise<ImageSource> {
  const created = creationDate();
  const files = new TemporaryFiles(options.temporary);
  try {
    const layer = await openLayer(transport.path, files, options);
    const assembly = new Assembly();
    const layers: Descriptor[] = [assembly.addBlob(layer.mediaType, layer.digest, layer.location)];
    const config = assembly.addDocument(mediaTypes.ociConfig, encodeRootfsConfig(layer.diffId, created));
    const descriptor = assembly.addDocument(mediaTypes.ociManifest, encodeManifest({ config, layers }));
    assembly.roots.push({ descriptor });
    return new AssembledSource(description, assembly, () => files[Symbol.asyncDispose]());
  } catch (error) {
    await files[Symbol.asyncDispose]();
    throw error;
  }
}

async function openLayer(path: HostPath, files: TemporaryFiles, options: SourceOptions): Promise<Layer> {
  const input = await openInput(path, options);
  if (input.kind === 'directory') return packed(input.path, files, options);
  if (input.kind === 'file') return measured(input.location, options);
  return measured(await files.write('rootfs', input.stream, options), options);
}

async function packed(directory: HostPath, files: TemporaryFiles, options: SourceOptions): Promise<Layer> {
  const meter = new DigestMeter();
  const root = openDirectory(directory);
  try {
    const location = await files.write('rootfs', metered(packDirectory(root, options), meter), options);
    const { digest } = meter.result();
    return { location, mediaType: layerMediaType('none'), digest, diffId: digest };
  } finally {
    close(root);
  }
}

function openDirectory(path: HostPath): number {
  try {
    return openat(AT_FDCWD, bytes(path), O_RDONLY | O_DIRECTORY);
  } catch (error) {
    throw wrapError(error, `open ${path}`, { path });
  }
}

/** A tar that is there: the digests of it as it stands and of what is in it, in one reading. */
async function measured(location: BlobLocation, options: SourceOptions): Promise<Layer> {
  const compression = await layerCompressionAt(location, location.file);
  const mediaType = layerMediaType(compression);
  const data = readLocation(location, options);
  if (compression === 'none') {
    const { digest } = await digestOfStream(data);
    return { location, mediaType, digest, diffId: digest };
  }
  const meter = new DigestMeter();
  const { digest: diffId } = await digestOfStream(decompressed(metered(data, meter), options));
  const { digest } = meter.result();
  return { location, mediaType, digest, diffId };
}
