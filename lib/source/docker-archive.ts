/** The transport `docker-archive:`: what `docker save`, podman and skopeo write. */
import type { Abortable } from '../abort.js';
import { isDigest, type Digest } from '../digest.js';
import { LayerfsError } from '../errors.js';
import { parseConfig } from '../image/config.js';
import type { Descriptor } from '../image/descriptor.js';
import { invalid } from '../image/json.js';
import { encodeManifest } from '../image/manifest.js';
import { layerMediaType, mediaTypes } from '../image/media-type.js';
import { limits } from '../limits.js';
import { AssembledSource, Assembly } from './assembled.js';
import { digestOfStream } from './digest-stream.js';
import { parseDockerManifest, type DockerManifestItem } from './docker-manifest.js';
import { layerCompressionAt, readLocation, readWhole, type BlobLocation } from '../content/location.js';
import { imageNotFound } from './oci-layout.js';
import { openOuterArchive, type OuterArchive } from './outer-archive.js';
import type { ImageSource, SourceOptions } from './source.js';
import { TemporaryFiles } from './temporary-files.js';
import type { DockerArchiveTransport } from './transport.js';

/**
 * Opens the archive and makes a manifest for each image that the transport chooses. The config's bytes are kept, so
 * that the image keeps its id. An uncompressed layer has the digest that the config claims as diffID (whoever reads
 * it finds out); the digest of a compressed one is computed here.
 *
 * @throws LayerfsError ARCHIVE_INVALID, MANIFEST_INVALID, IMAGE_NOT_FOUND, BLOB_MISSING, and as openOuterArchive
 */
export async function openDockerArchive(
  transport: DockerArchiveTransport,
  description: string,
  options: SourceOptions,
): Promise<ImageSource> {
  const files = new TemporaryFiles(options.temporary);
  try {
    const archive = await openOuterArchive(transport.path, files, options);
    const assembler = new Assembler(archive, description, options);
    const items = await assembler.items();
    for (const { item, tags } of choose(items, transport, description)) await assembler.add(item, tags);
    return new AssembledSource(description, assembler.assembly, () => files[Symbol.asyncDispose]());
  } catch (error) {
    await files[Symbol.asyncDispose]();
    throw error;
  }
}

/** The chosen images, each with the names it is to be known by. */
function choose(
  items: readonly DockerManifestItem[],
  { name, position }: DockerArchiveTransport,
  description: string,
): { item: DockerManifestItem; tags: readonly string[] }[] {
  const chosen = items
    .filter((_, i) => position === undefined || i === position)
    .map((item) => ({ item, tags: item.tags.filter((tag) => name === undefined || tag === name.name) }))
    .filter(({ tags }) => name === undefined || tags.length > 0);
  if (chosen.length > 0) return chosen;
  throw imageNotFound(
    description,
    items.map(({ tags }) => tags[0]),
  );
}

/** Images of one archive; layers that several of them share are looked into once. */
class Assembler {
  readonly assembly = new Assembly();
  readonly #archive: OuterArchive;
  readonly #description: string;
  readonly #options: Abortable;
  readonly #layers = new Map<string, Descriptor>();

  constructor(archive: OuterArchive, description: string, options: Abortable) {
    this.#archive = archive;
    this.#description = description;
    this.#options = options;
  }

  /** What manifest.json lists. */
  async items(): Promise<DockerManifestItem[]> {
    const location = this.#archive.locate('manifest.json');
    if (location === undefined) {
      const isOld = this.#archive.locate('repositories') !== undefined;
      const why = isOld ? ' (it was written by Docker before 1.10: save the image again)' : '';
      throw new LayerfsError('ARCHIVE_INVALID', `${this.#description} has no manifest.json${why}`);
    }
    return parseDockerManifest(await readWhole(location, 'manifest.json', limits.manifestSize));
  }

  async add(item: DockerManifestItem, tags: readonly string[]): Promise<void> {
    const data = await readWhole(this.#locate(item.config), item.config, limits.configSize);
    const { diffIds } = parseConfig(data);
    if (item.layers.length !== diffIds.length) {
      throw invalid(
        'manifest.json',
        `lists ${item.layers.length} layers, the config has ${diffIds.length} diff_ids`,
      );
    }
    const config = this.assembly.addDocument(mediaTypes.ociConfig, data);
    const layers: Descriptor[] = [];
    for (const [i, diffId] of diffIds.entries()) layers.push(await this.#layer(item.layers[i] ?? '', diffId));
    const descriptor = this.assembly.addDocument(mediaTypes.ociManifest, encodeManifest({ config, layers }));
    if (tags.length === 0) this.assembly.roots.push({ descriptor });
    for (const name of tags) this.assembly.roots.push({ descriptor, name });
  }

  async #layer(member: string, diffId: Digest): Promise<Descriptor> {
    const key = `${member} ${diffId}`;
    const known = this.#layers.get(key);
    if (known !== undefined) return known;
    const location = this.#locate(member);
    const compression = await layerCompressionAt(location, member);
    const digest =
      compression === 'none'
        ? diffId
        : (claimedDigest(member) ?? (await digestOfStream(readLocation(location, this.#options))).digest);
    const descriptor = this.assembly.addBlob(layerMediaType(compression), digest, location);
    this.#layers.set(key, descriptor);
    return descriptor;
  }

  #locate(member: string): BlobLocation {
    const location = this.#archive.locate(member);
    if (location !== undefined) return location;
    throw new LayerfsError(
      'BLOB_MISSING',
      `${this.#description} has no ${JSON.stringify(member)}, which its manifest.json names`,
      {
        detail: { member },
      },
    );
  }
}

/** Docker 25 and later save an OCI layout, in which a blob's name is its digest. */
function claimedDigest(member: string): Digest | undefined {
  const match = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(member);
  const digest = match === null ? undefined : `${match[1]}:${match[2]}`;
  return isDigest(digest) ? digest : undefined;
}
