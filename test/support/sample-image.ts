/** A small image in memory, in every form that a test may want it in. */
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import type { LayerPath } from '../../lib/bytes.js';
import { digestOf, type Digest } from '../../lib/digest.js';
import { descriptorOf, type Descriptor } from '../../lib/image/descriptor.js';
import { encodeManifest } from '../../lib/image/manifest.js';
import { layerMediaType, mediaTypes } from '../../lib/image/media-type.js';
import { packLayer } from '../../lib/tar/pack-layer.js';
import type { DockerExport } from '../../lib/target/docker-archive.js';
import type { OciExport } from '../../lib/target/oci-layout.js';
import { meta } from './layer-nodes.js';

export interface SampleLayer {
  readonly diffId: Digest;
  readonly tar: Buffer;
  readonly blob: Descriptor;
}

export interface SampleImage {
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly SampleLayer[];
  readonly blobs: ReadonlyMap<Digest, Buffer>;
  readonly oci: OciExport;
  readonly docker: DockerExport;
}

/** One layer for each record of `path: contents`. */
export async function sampleImage(
  layers: readonly Readonly<Record<string, string>>[] = [{ 'etc/motd': 'hello' }, { 'bin/sh': '#!' }],
  compression: 'none' | 'gzip' = 'gzip',
): Promise<SampleImage> {
  const blobs = new Map<Digest, Buffer>();
  const add = (mediaType: string, data: Buffer): Descriptor => {
    const descriptor = descriptorOf(mediaType, data);
    blobs.set(descriptor.digest, data);
    return descriptor;
  };
  const made: SampleLayer[] = [];
  for (const files of layers) {
    const tar = await sampleTar(files);
    const blob = add(layerMediaType(compression), compression === 'gzip' ? gzipSync(tar) : tar);
    made.push({ diffId: digestOf(tar), tar, blob });
  }
  const config = add(
    mediaTypes.ociConfig,
    Buffer.from(
      JSON.stringify({
        created: '2024-01-01T00:00:00Z',
        architecture: 'amd64',
        os: 'linux',
        config: { Cmd: ['/bin/sh'] },
        rootfs: { type: 'layers', diff_ids: made.map(({ diffId }) => diffId) },
      }),
    ),
  );
  const manifest = add(
    mediaTypes.ociManifest,
    encodeManifest({ config, layers: made.map(({ blob }) => blob) }),
  );
  const bytesOf = (digest: Digest): Buffer => blobs.get(digest) ?? Buffer.alloc(0);
  return {
    manifest,
    config,
    layers: made,
    blobs,
    oci: {
      root: manifest,
      blobs: [manifest, config, ...made.map(({ blob }) => blob)],
      read: async function* ({ digest }) {
        yield bytesOf(digest);
      },
    },
    docker: {
      config: bytesOf(config.digest),
      layers: made.map(({ diffId, tar }) => ({
        digest: diffId,
        size: tar.length,
        read: async function* () {
          yield tar;
        },
      })),
    },
  };
}

/** A layer of regular files. */
export function sampleTar(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const entries = Object.entries(files).map(([path, text]) => ({
    kind: 'file' as const,
    path: path as LayerPath,
    meta: meta(),
    size: Buffer.byteLength(text),
    extents: null,
  }));
  return buffer(packLayer(entries, ({ path }) => [Buffer.from(files[path] ?? '')]));
}
