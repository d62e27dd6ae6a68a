/** One image on its way into the store: documents, blobs and layers first, the name that makes them an image last. */
import { display } from '../bytes.js';
import { chainIds, type Digest } from '../digest.js';
import { LayerfsError } from '../errors.js';
import { checkLayerCount, historyMismatch, parseConfig, type ImageConfig } from '../image/config.js';
import type { Descriptor } from '../image/descriptor.js';
import type { Manifest } from '../image/manifest.js';
import { assertLayerMediaType, isConfigMediaType } from '../image/media-type.js';
import { defaultPlatform, parsePlatform } from '../image/platform.js';
import { imageDocuments, resolveManifest } from '../image/resolve.js';
import { limits } from '../limits.js';
import { readLocation } from '../content/location.js';
import type { ImageSource } from '../source/source.js';
import type { ImportOptions, ImportResult } from './import.js';
import { contentSize } from './image-catalog.js';
import { LayerImport, type LayerProgress, type SourceLayer } from './layer-import.js';
import { Lease } from '../layout/lease.js';
import { publishNames } from './names.js';
import type { StoreParts } from './parts.js';

export class ImageImport implements AsyncDisposable {
  readonly #store: StoreParts;
  readonly #source: ImageSource;
  readonly #options: ImportOptions;
  readonly #layers: LayerImport;
  /** Layers of the image being worked on, for progress. */
  #count = 0;

  constructor(store: StoreParts, source: ImageSource, jobs: number, options: ImportOptions) {
    this.#store = store;
    this.#source = source;
    this.#options = options;
    this.#layers = new LayerImport(store.layout, store.layers, store.content, {
      jobs,
      signal: options.signal,
      onProgress: (progress) => this.#report(progress),
      onWarning: (layer, { code, path, message }) =>
        options.onWarning?.({ code, subject: `layer ${layer}`, message: `${display(path)}: ${message}` }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#layers[Symbol.asyncDispose]();
  }

  /** @param name canonical */
  async run(root: Descriptor, name: string): Promise<ImportResult> {
    using lease = await Lease.create(this.#store.layout, this.#options);
    const done = this.#options.all === true ? await this.#all(root, lease) : await this.#one(root, lease);
    await publishNames(this.#store, (names) => names.set(name, done.target));
    return { name, digest: done.target.digest, layers: done.layers, size: done.size };
  }

  /** The manifest of one platform. */
  async #one(root: Descriptor, lease: Lease): Promise<{ target: Descriptor; layers: number; size: number }> {
    const { platform } = this.#options;
    const wanted = platform === undefined ? defaultPlatform() : parsePlatform(platform);
    const { descriptor, data, manifest } = await resolveManifest(root, wanted, (blob, limit) =>
      this.#read(blob, limit),
    );
    const config = await this.#config(manifest);
    if (config === undefined) {
      throw new LayerfsError(
        'MEDIA_TYPE_UNSUPPORTED',
        `${descriptor.digest} is not an image: its config is ${manifest.config.mediaType}`,
        { detail: { mediaType: manifest.config.mediaType } },
      );
    }
    await this.#image(manifest, config, lease);
    await this.#document(descriptor, data, lease);
    return { target: descriptor, layers: manifest.layers.length, size: contentSize(descriptor, manifest) };
  }

  /** Every manifest of an index; artifacts among them are kept, not unpacked. */
  async #all(root: Descriptor, lease: Lease): Promise<{ target: Descriptor; layers: number; size: number }> {
    let layers = 0;
    let size = 0;
    for await (const item of imageDocuments(root, (blob, limit) => this.#read(blob, limit))) {
      if (item.document === null) {
        await this.#blob(item.descriptor, lease);
        continue;
      }
      if (item.document.kind === 'manifest') {
        const config = await this.#config(item.document);
        if (config === undefined) {
          for (const blob of [item.document.config, ...item.document.layers]) await this.#blob(blob, lease);
        } else {
          await this.#image(item.document, config, lease);
          layers += item.document.layers.length;
        }
        size += contentSize(item.descriptor, item.document);
      }
      await this.#document(item.descriptor, item.data, lease);
    }
    return { target: root, layers, size };
  }

  /** undefined for an artifact, whose config is not looked into. */
  async #config(manifest: Manifest): Promise<{ data: Buffer; config: ImageConfig } | undefined> {
    if (!isConfigMediaType(manifest.config.mediaType)) return undefined;
    const data = await this.#read(manifest.config, limits.configSize);
    return { data, config: parseConfig(data) };
  }

  async #image(
    manifest: Manifest,
    { data, config }: { data: Buffer; config: ImageConfig },
    lease: Lease,
  ): Promise<void> {
    checkLayerCount(manifest, config);
    const odd = historyMismatch(config);
    if (odd !== undefined) {
      this.#options.onWarning?.({
        code: 'history',
        subject: `config ${manifest.config.digest}`,
        message: odd,
      });
    }
    const layers: SourceLayer[] = manifest.layers.map((descriptor, i) => {
      assertLayerMediaType(descriptor.mediaType);
      return { descriptor, diffId: config.diffIds[i] as Digest };
    });
    const blobs = layers.map(({ descriptor }) => descriptor.digest);
    await lease.hold([...blobs, ...config.diffIds, ...chainIds(config.diffIds)], this.#options);
    this.#count = layers.length;
    await this.#layers.run(layers, (descriptor) => this.#source.locateBlob(descriptor));
    // What a mount reads: made here, so that the first mount is as quick as the next.
    await this.#store.chains.stack(config.diffIds);
    await this.#document(manifest.config, data, lease);
  }

  async #document(descriptor: Descriptor, data: Buffer, lease: Lease): Promise<void> {
    await lease.hold([descriptor.digest], this.#options);
    await this.#store.content.put(descriptor, chunks(data));
  }

  async #blob(descriptor: Descriptor, lease: Lease): Promise<void> {
    await lease.hold([descriptor.digest], this.#options);
    await this.#store.content.put(
      descriptor,
      readLocation(await this.#source.locateBlob(descriptor), this.#options),
    );
  }

  #read(descriptor: Descriptor, limit: number): Promise<Buffer> {
    return this.#source.readBlob(descriptor, limit, this.#options);
  }

  #report({ digest, ...progress }: LayerProgress): void {
    this.#options.onProgress?.({ kind: 'layer', layer: digest, count: this.#count, ...progress });
  }
}

async function* chunks(data: Buffer): AsyncGenerator<Buffer> {
  yield data;
}
