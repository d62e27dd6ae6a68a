/** Media types of OCI image-spec (media-types.md) and of Docker's image manifest, version 2, schema 2. */
import { LayerfsError } from '../errors.js';

export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  ociForeignLayer: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
  ociForeignLayerGzip: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  ociForeignLayerZstd: 'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
  dockerForeignLayer: 'application/vnd.docker.image.rootfs.foreign.diff.tar',
  dockerForeignLayerGzip: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
} as const;

const manifests: ReadonlySet<string> = new Set([mediaTypes.ociManifest, mediaTypes.dockerManifest]);
const indexes: ReadonlySet<string> = new Set([mediaTypes.ociIndex, mediaTypes.dockerManifestList]);
const configs: ReadonlySet<string> = new Set([mediaTypes.ociConfig, mediaTypes.dockerConfig]);
const foreignLayers: ReadonlySet<string> = new Set([
  mediaTypes.ociForeignLayer,
  mediaTypes.ociForeignLayerGzip,
  mediaTypes.ociForeignLayerZstd,
  mediaTypes.dockerForeignLayer,
  mediaTypes.dockerForeignLayerGzip,
]);
const layers: ReadonlySet<string> = new Set([
  ...foreignLayers,
  mediaTypes.ociLayer,
  mediaTypes.ociLayerGzip,
  mediaTypes.ociLayerZstd,
  mediaTypes.dockerLayer,
  mediaTypes.dockerLayerGzip,
  mediaTypes.dockerLayerZstd,
]);
/**
 * Docker's image manifest, version 2, schema 1: superseded in 2016, neither content-addressed nor convertible
 * exactly.
 */
const schema1: ReadonlySet<string> = new Set([
  'application/vnd.docker.distribution.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
]);

export function isManifestMediaType(mediaType: string): boolean {
  return manifests.has(mediaType);
}

export function isIndexMediaType(mediaType: string): boolean {
  return indexes.has(mediaType);
}

/** Whether a config of this type is an image's, and may be parsed; an artifact's may not. */
export function isConfigMediaType(mediaType: string): boolean {
  return configs.has(mediaType);
}

export function isLayerMediaType(mediaType: string): boolean {
  return layers.has(mediaType);
}

/**
 * A layer that SHOULD NOT be uploaded, and whose `urls` are another party's: they never get a registry's
 * credentials.
 */
export function isForeignLayerMediaType(mediaType: string): boolean {
  return foreignLayers.has(mediaType);
}

export function isSchema1MediaType(mediaType: string): boolean {
  return schema1.has(mediaType);
}

/**
 * How the bytes of a layer are wrapped. A media type may lie about it: readers look at the bytes
 * (lib/compress).
 */
export type LayerCompression = 'none' | 'gzip' | 'zstd';

const layerTypes: Readonly<Record<LayerCompression, string>> = {
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
};

/** The media type of a layer that is written. */
export function layerMediaType(compression: LayerCompression): string {
  return layerTypes[compression];
}

/**
 * Resolves the question whether a blob may be unpacked as a layer.
 * @throws LayerfsError MEDIA_TYPE_UNSUPPORTED for every type that is not a layer's; such blobs are stored and
 *   copied only
 */
export function assertLayerMediaType(mediaType: string): void {
  if (isLayerMediaType(mediaType)) return;
  throw new LayerfsError(
    'MEDIA_TYPE_UNSUPPORTED',
    `${JSON.stringify(mediaType)} is not a layer that can be unpacked`,
    {
      detail: { mediaType },
    },
  );
}
