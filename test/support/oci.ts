/** OCI image layouts from layer tars, written without lib/: what is imported must not come from its own writer. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { HostPath } from '../../lib/bytes.js';
import { frame, rawBlock, skippable } from '../lib/compress/zstd-frames.js';
import { tarball, type Layer } from './tarball.js';

export type Compression = 'none' | 'gzip' | 'zstd';

export interface ImagePlan {
  readonly tag: string;
  /** Bottom first; tars as they are, or members to make one of. */
  readonly layers: readonly (Buffer | Layer)[];
  readonly compression?: Compression;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const prefix = 'application/vnd.oci.image';
const layerTypes: Readonly<Record<Compression, string>> = {
  none: `${prefix}.layer.v1.tar`,
  gzip: `${prefix}.layer.v1.tar+gzip`,
  zstd: `${prefix}.layer.v1.tar+zstd`,
};

/** Writes a layout with all the images, into a directory that is made for it. @returns it */
export function writeLayout(directory: HostPath, images: readonly ImagePlan[]): HostPath {
  const blobs = join(directory, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  const put = (mediaType: string, data: Buffer): Descriptor => {
    const hex = sha256(data);
    writeFileSync(join(blobs, hex), data);
    return { mediaType, digest: `sha256:${hex}`, size: data.length };
  };
  const manifests = images.map(({ tag, layers, compression = 'gzip' }) => {
    const tars = layers.map((layer) => (Buffer.isBuffer(layer) ? layer : tarball(...layer)));
    const config = put(
      `${prefix}.config.v1+json`,
      json({
        architecture: process.arch === 'x64' ? 'amd64' : process.arch,
        os: 'linux',
        rootfs: { type: 'layers', diff_ids: tars.map((tar) => `sha256:${sha256(tar)}`) },
      }),
    );
    const mediaType = `${prefix}.manifest.v1+json`;
    const manifest = {
      schemaVersion: 2,
      mediaType,
      config,
      layers: tars.map((tar) => put(layerTypes[compression], compress(tar, compression))),
    };
    return {
      ...put(mediaType, json(manifest)),
      annotations: { 'org.opencontainers.image.ref.name': tag },
    };
  });
  writeFileSync(join(directory, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  writeFileSync(join(directory, 'index.json'), json({ schemaVersion: 2, manifests }));
  return directory;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Not small, but in every way a stream of its kind: zstd in several frames, with skippable ones between. */
function compress(tar: Buffer, compression: Compression): Buffer {
  if (compression === 'none') return tar;
  if (compression === 'gzip') return gzipSync(tar, { level: 1 });
  const frames = [skippable(5)];
  const size = 100_000;
  for (let at = 0; at < tar.length; at += size) {
    frames.push(frame(rawBlock(tar.subarray(at, at + size), true)), skippable(0));
  }
  return Buffer.concat(frames);
}
