/** An OCI image layout made of nothing, for the demonstration: no network, and the same bytes every time. */
import { gzipSync } from 'node:zlib';
import type { HostPath } from '../bytes.js';
import { ContentStore } from '../content/store.js';
import { digestOf } from '../digest.js';
import { mediaTypes } from '../image/media-type.js';
import { defaultPlatform } from '../image/platform.js';
import { memberOf, memberOfHardlink } from '../tar/layer-tar.js';
import { encodeMember, endOfArchive, paddingOf, type TarMemberInput } from '../tar/writer.js';
import { sampleLayers, type SampleEntry, type SampleKind, type SampleLayer } from './sample-layers.js';

const created = '2024-01-02T03:04:05Z';

/**
 * Writes an OCI image layout into a directory that is not there yet or is empty: one image of three layers and a few
 * hundred files, the same bytes every time.
 * @param tag the image's name in the layout
 * @throws LayerfsError FILESYSTEM, NO_SPACE, PERMISSION
 */
export async function writeSampleImage(directory: HostPath, tag: string, kind: SampleKind): Promise<void> {
  const layers = sampleLayers(kind);
  const archives = layers.map((layer) => archiveOf(layer.entries));
  const content = new ContentStore(directory, { durable: false });
  await content.init();
  const config = await content.putBytes(mediaTypes.ociConfig, json(configOf(layers, archives)));
  const descriptors = [];
  for (const archive of archives) {
    descriptors.push(await content.putBytes(mediaTypes.ociLayerGzip, gzipSync(archive)));
  }
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: descriptors };
  const descriptor = await content.putBytes(mediaTypes.ociManifest, json(manifest));
  await content.writeIndex([{ descriptor, name: tag }]);
}

function configOf(layers: readonly SampleLayer[], archives: readonly Buffer[]): object {
  const { os, architecture, variant } = defaultPlatform();
  return {
    created,
    os,
    architecture,
    variant,
    config: { Env: ['PATH=/bin'], Cmd: ['/bin/su'], WorkingDir: '/srv' },
    rootfs: { type: 'layers', diff_ids: archives.map((archive) => digestOf(archive)) },
    history: [
      ...layers.map(({ createdBy }) => ({ created, created_by: createdBy })),
      { created, created_by: 'set the working directory', empty_layer: true },
    ],
  };
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function archiveOf(entries: readonly SampleEntry[]): Buffer {
  const parts: Buffer[] = [];
  for (const sample of entries) {
    parts.push(encodeMember(member(sample, entries)), sample.data, paddingOf(sample.data.length));
  }
  return Buffer.concat([...parts, endOfArchive()]);
}

function member({ entry }: SampleEntry, entries: readonly SampleEntry[]): TarMemberInput {
  if (entry.kind !== 'hardlink') return memberOf(entry);
  const file = entries.find((other) => other.entry.path === entry.target)?.entry;
  if (file?.kind !== 'file') throw new TypeError(`no file ${entry.target} in this layer`);
  return memberOfHardlink(entry, file.meta);
}
