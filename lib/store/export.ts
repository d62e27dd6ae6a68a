/** Writing images out: blobs byte for byte as they came, or the flattened tree. */
import { Readable, type Writable } from 'node:stream';
import type { Abortable } from '../abort.js';
import { createDecompressor } from '../compress/decompress.js';
import { chainIds, type Digest } from '../digest.js';
import { LayerfsError } from '../errors.js';
import type { Descriptor } from '../image/descriptor.js';
import { parseReference, type Reference } from '../image/reference.js';
import { imageDocuments } from '../image/resolve.js';
import type { Layer } from '../layer/layer-store.js';
import { compressionAt } from '../content/location.js';
import { parseTransport, type DockerArchiveTransport } from '../source/transport.js';
import { writeDockerArchive, type DockerLayer } from '../target/docker-archive.js';
import { writeOciArchive } from '../target/oci-archive.js';
import type { OciExport } from '../target/oci-layout.js';
import { writeOci } from '../target/oci.js';
import type { OutputOptions } from '../target/output.js';
import { rebuildLayerTar } from '../upper/rebuild.js';
import { exportRootfs } from './export-rootfs.js';
import { Lease } from '../layout/lease.js';
import type { StoreParts } from './parts.js';
import type { ProgressEvent } from './progress.js';

export interface ExportOptions extends Abortable {
  /** What the path `-` writes to. Default: process.stdout. */
  stdout?: Writable | undefined;
  onProgress?: ((event: ProgressEvent) => void) | undefined;
}

export interface ExportResult {
  /** As it was given. */
  readonly target: string;
  /** What the image is called by there; null where the target holds no manifest. */
  readonly digest: Digest | null;
}

/** @throws LayerfsError as `Store.export` */
export async function exportImage(
  store: StoreParts,
  name: string,
  text: string,
  options: ExportOptions,
): Promise<ExportResult> {
  const transport = parseTransport(text);
  if (transport.kind !== 'rootfs' && transport.position !== undefined) {
    throw new LayerfsError('REFERENCE_INVALID', `${text}: a position is for reading; give a tag or nothing`);
  }
  const { target } = await store.images.find(name);
  using lease = await Lease.create(store.layout, options);
  const writing: OutputOptions = { durable: store.layout.durable, signal: options.signal };
  const output = transport.path === '-' ? (options.stdout ?? process.stdout) : transport.path;
  switch (transport.kind) {
    case 'oci': {
      const image = await ociExport(store, target, lease, options);
      await writeOci(image, transport.path, transport.name ?? tagOf(name), writing);
      return { target: text, digest: target.digest };
    }
    case 'oci-archive': {
      const image = await ociExport(store, target, lease, options);
      await writeOciArchive(image, output, transport.name ?? tagOf(name), writing);
      return { target: text, digest: target.digest };
    }
    case 'docker-archive': {
      const image = await store.images.open(name);
      await lease.hold(image.manifest.layers.map(({ digest }) => digest));
      const chain = chainIds(image.config.diffIds);
      const layers: DockerLayer[] = [];
      for (const [i, descriptor] of image.manifest.layers.entries()) {
        const diffId = image.config.diffIds[i] as Digest;
        const layer = await store.layers.find(diffId, chain[i] as Digest);
        if (layer === undefined)
          throw new LayerfsError('STORE_INVALID', `layer ${diffId} is not in the store`);
        const { tarSize } = layer.record;
        layers.push({ digest: diffId, size: tarSize, read: () => uncompressed(store, descriptor, layer) });
      }
      await writeDockerArchive(
        { config: image.configData, layers },
        output,
        namesIn(transport, name),
        writing,
      );
      return { target: text, digest: null };
    }
    case 'rootfs':
      await exportRootfs(store, name, output, lease, writing);
      return { target: text, digest: null };
  }
}

/** Everything under what a name stands for. */
async function ociExport(
  store: StoreParts,
  root: Descriptor,
  lease: Lease,
  { onProgress }: ExportOptions,
): Promise<OciExport> {
  const blobs: Descriptor[] = [];
  const layers: Descriptor[] = [];
  const read = (descriptor: Descriptor, limit: number): Promise<Buffer> =>
    store.content.readAll(descriptor, limit);
  for await (const { descriptor, document } of imageDocuments(root, read)) {
    blobs.push(descriptor);
    if (document?.kind !== 'manifest') continue;
    blobs.push(document.config, ...document.layers);
    layers.push(...document.layers);
  }
  await lease.hold(blobs.map(({ digest }) => digest));
  return {
    root,
    blobs,
    read: async function* (descriptor) {
      const { digest, size } = descriptor;
      const index = layers.findIndex((layer) => layer.digest === digest);
      let done = 0;
      for await (const chunk of store.content.read(descriptor)) {
        yield chunk;
        done += chunk.length;
        if (index < 0) continue;
        const state = done === size ? 'done' : 'running';
        onProgress?.({ kind: 'layer', layer: digest, index, count: layers.length, state, done, total: size });
      }
    },
  };
}

/** The layer's tar: from its blob or, where that is gone, from its files. */
async function* uncompressed(
  store: StoreParts,
  descriptor: Descriptor,
  layer: Layer,
): AsyncGenerator<Buffer> {
  const { digest, size } = descriptor;
  if (layer.record.tarFrame && !(await store.content.has(digest))) {
    yield* rebuildLayerTar(layer.directory, await layer.index());
    return;
  }
  const compression = await compressionAt({ file: store.content.path(digest), offset: 0, size });
  const blob = store.content.read(descriptor);
  if (compression === 'none') yield* blob;
  else yield* Readable.from(blob).compose(createDecompressor(compression)) as AsyncIterable<Buffer>;
}

function tagOf(name: string): string | undefined {
  return parseReference(name).tag;
}

function namesIn(transport: DockerArchiveTransport, name: string): Reference[] {
  if (transport.name !== undefined) return [transport.name];
  const reference = parseReference(name);
  return reference.tag === undefined ? [] : [reference];
}
