/** A source whose manifests layerfs makes, of layers that lie somewhere: for docker-archive and rootfs. */
import { throwIfAborted, type Abortable } from '../abort.js';
import { sizeMismatch } from '../content/verify.js';
import type { Digest } from '../digest.js';
import { descriptorOf, type Descriptor } from '../image/descriptor.js';
import { assertWithin, readDocument, type BlobLocation } from '../content/location.js';
import { type ImageSource, type SourceRoot, blobMissing, closedSource } from './source.js';

/** What was put together, to be handed to an AssembledSource. */
export class Assembly {
  readonly documents = new Map<Digest, Buffer>();
  readonly locations = new Map<Digest, BlobLocation>();
  readonly roots: SourceRoot[] = [];

  addDocument(mediaType: string, data: Buffer): Descriptor {
    const descriptor = descriptorOf(mediaType, data);
    this.documents.set(descriptor.digest, data);
    return descriptor;
  }

  addBlob(mediaType: string, digest: Digest, location: BlobLocation): Descriptor {
    this.locations.set(digest, location);
    return { mediaType, digest, size: location.size };
  }
}

/** `locateBlob` has the layers only: manifests and configs are in memory. */
export class AssembledSource implements ImageSource {
  readonly description: string;
  readonly #assembly: Assembly;
  readonly #dispose: () => Promise<void>;
  #closed = false;

  /** @param dispose is called once, when the source is disposed of */
  constructor(description: string, assembly: Assembly, dispose: () => Promise<void>) {
    this.description = description;
    this.#assembly = assembly;
    this.#dispose = dispose;
  }

  async roots(): Promise<readonly SourceRoot[]> {
    this.#assertOpen();
    return this.#assembly.roots;
  }

  async readBlob(descriptor: Descriptor, limit: number, options: Abortable = {}): Promise<Buffer> {
    this.#assertOpen();
    throwIfAborted(options.signal, `read ${descriptor.digest}`);
    const document = this.#assembly.documents.get(descriptor.digest);
    if (document === undefined) {
      return readDocument(await this.locateBlob(descriptor), descriptor, limit, options);
    }
    if (document.length !== descriptor.size) throw sizeMismatch(descriptor, String(document.length));
    assertWithin(descriptor.digest, document.length, limit);
    return document;
  }

  async locateBlob(descriptor: Descriptor): Promise<BlobLocation> {
    this.#assertOpen();
    const location = this.#assembly.locations.get(descriptor.digest);
    if (location === undefined) throw blobMissing(this.description, descriptor);
    if (location.size !== descriptor.size) throw sizeMismatch(descriptor, String(location.size));
    return location;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#dispose();
  }

  #assertOpen(): void {
    if (this.#closed) throw closedSource(this.description);
  }
}
