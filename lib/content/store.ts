/**
 * The content store: blobs by digest in an OCI image layout (OCI image-spec, image-layout.md) that other tools
 * read as it stands.
 */
import { createReadStream } from 'node:fs';
import { open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Abortable } from '../abort.js';
import type { HostPath } from '../bytes.js';
import { algorithmOf, hexOf, isDigest, type Digest } from '../digest.js';
import { codeOf, LayerfsError, wrapError } from '../errors.js';
import {
  makeDirectoryDurable,
  removeFileDurable,
  renameDurable,
  syncFile,
  temporaryName,
  writeFileAtomic,
  type Durability,
} from '../fs/atomic.js';
import { descriptorOf, refNameAnnotation, type Descriptor } from '../image/descriptor.js';
import { mediaTypes } from '../image/media-type.js';
import { sizeMismatch, verified, Verifier, type Expected } from './verify.js';

export interface ContentStoreOptions extends Durability {
  /**
   * Where blobs are written until they are complete: in the file system of the store. Default: `tmp` in its
   * directory.
   */
  readonly temporaryDirectory?: HostPath;
}

const algorithms = ['sha256', 'sha512'] as const;

/** Size of a read: large enough that a read costs less than hashing what it brought. */
const readSize = 1024 * 1024;

/**
 * Blobs by digest. A blob that is there is whole and has its digest; making one is atomic, idempotent and,
 * unless the store is volatile, durable. Several processes may use one store.
 */
export class ContentStore {
  readonly directory: HostPath;
  readonly #durability: Durability;
  readonly #temporaryDirectory: HostPath;

  constructor(directory: HostPath, options: ContentStoreOptions) {
    this.directory = directory;
    this.#durability = { durable: options.durable };
    this.#temporaryDirectory = options.temporaryDirectory ?? join(directory, 'tmp');
  }

  /** Makes the layout where it is not there yet. Idempotent; directories are 0o700. */
  async init(): Promise<void> {
    for (const algorithm of algorithms) {
      await makeDirectoryDurable(join(this.directory, 'blobs', algorithm), this.#durability);
    }
    await makeDirectoryDurable(this.#temporaryDirectory, this.#durability);
    const layoutFile = join(this.directory, 'oci-layout');
    if ((await sizeOf(layoutFile)) === undefined) {
      await writeFileAtomic(layoutFile, '{"imageLayoutVersion":"1.0.0"}', this.#writing);
    }
    if ((await sizeOf(join(this.directory, 'index.json'))) === undefined) await this.writeIndex([]);
  }

  /** Where the blob is, or would be. */
  path(digest: Digest): HostPath {
    return join(this.directory, 'blobs', algorithmOf(digest), hexOf(digest));
  }

  async has(digest: Digest): Promise<boolean> {
    return (await sizeOf(this.path(digest))) !== undefined;
  }

  /**
   * Length of a blob in bytes.
   * @throws LayerfsError BLOB_MISSING, FILESYSTEM
   */
  async size(digest: Digest): Promise<number> {
    const size = await sizeOf(this.path(digest));
    if (size !== undefined) return size;
    throw new LayerfsError('BLOB_MISSING', `the store has no blob ${digest}`, { detail: { digest } });
  }

  /**
   * Stores a blob: when it resolves, a blob of that digest and size is there, not necessarily because of this
   * call. A source that is not needed is not read; a blob of another size (after a loss of power) is replaced.
   * On rejection nothing is visible.
   * @throws LayerfsError SIZE_MISMATCH, DIGEST_MISMATCH, ABORTED, NO_SPACE, FILESYSTEM
   */
  async put(expected: Expected, source: AsyncIterable<Uint8Array>, options: Abortable = {}): Promise<void> {
    if ((await sizeOf(this.path(expected.digest))) === expected.size) {
      if (source instanceof Readable) source.destroy();
      return;
    }
    const temporary = this.temporaryPath();
    try {
      const file = await open(temporary, 'wx', 0o600);
      try {
        for await (const chunk of verified(source, expected, options)) await file.writeFile(chunk);
      } finally {
        await file.close();
      }
      await this.adopt(temporary, expected.digest);
    } catch (error) {
      await rm(temporary, { force: true });
      throw wrapError(error, `store blob ${expected.digest}`, { digest: expected.digest });
    }
  }

  /** Stores bytes at hand and describes them. Errors as of {@link put}. */
  async putBytes(mediaType: string, data: Uint8Array): Promise<Descriptor> {
    const descriptor = descriptorOf(mediaType, data);
    await this.put(descriptor, Readable.from([data]));
    return descriptor;
  }

  /** A path in the store's file system for a writer that hashes what it writes and then calls {@link adopt}. */
  temporaryPath(): HostPath {
    return temporaryName(this.#temporaryDirectory, 'blob');
  }

  /** Makes a complete file, which its writer has found to have this digest, the blob of that digest. */
  async adopt(temporaryPath: HostPath, digest: Digest): Promise<void> {
    if (this.#durability.durable) await syncFile(temporaryPath);
    await renameDurable(temporaryPath, this.path(digest), this.#durability);
  }

  /**
   * The bytes of a blob, verified to the end.
   * @throws LayerfsError BLOB_MISSING, SIZE_MISMATCH, DIGEST_MISMATCH, ABORTED, FILESYSTEM
   */
  async *read(expected: Expected, options: Abortable = {}): AsyncGenerator<Buffer> {
    await this.#checkSize(expected);
    const stream = createReadStream(this.path(expected.digest), { highWaterMark: readSize });
    try {
      yield* verified(stream, expected, options);
    } catch (error) {
      throw wrapError(error, `read blob ${expected.digest}`, { digest: expected.digest });
    }
  }

  /**
   * A whole blob, verified.
   * @param limit in bytes: a larger one is not read
   * @throws LayerfsError LIMIT_EXCEEDED, BLOB_MISSING, SIZE_MISMATCH, DIGEST_MISMATCH, FILESYSTEM
   */
  async readAll(expected: Expected, limit: number): Promise<Buffer> {
    const { digest, size } = expected;
    if (size > limit) {
      throw new LayerfsError('LIMIT_EXCEEDED', `${digest}: ${size} bytes, the limit is ${limit}`, {
        detail: { digest, actual: size, limit },
      });
    }
    await this.#checkSize(expected);
    try {
      const data = await readFile(this.path(digest));
      const verifier = new Verifier(expected);
      verifier.update(data);
      verifier.end();
      return data;
    } catch (error) {
      throw wrapError(error, `read blob ${digest}`, { digest });
    }
  }

  /** The digests of all blobs. A layout may hold other files too: those are not blobs. */
  async *list(): AsyncGenerator<Digest> {
    for (const algorithm of algorithms) {
      for (const name of await readdir(join(this.directory, 'blobs', algorithm))) {
        const digest = `${algorithm}:${name}`;
        if (isDigest(digest)) yield digest;
      }
    }
  }

  /** Removes a blob; one that is not there is no error. */
  async delete(digest: Digest): Promise<void> {
    await removeFileDurable(this.path(digest), this.#durability);
  }

  /** Replaces index.json, by which other tools find images: derived data, complete in each call. */
  async writeIndex(entries: readonly { descriptor: Descriptor; name: string }[]): Promise<void> {
    const manifests = entries.map(({ descriptor, name }) => ({
      ...descriptor,
      annotations: { ...descriptor.annotations, [refNameAnnotation]: name },
    }));
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
    await writeFileAtomic(join(this.directory, 'index.json'), JSON.stringify(index), this.#writing);
  }

  get #writing(): { durable: boolean; temporaryDirectory: HostPath } {
    return { ...this.#durability, temporaryDirectory: this.#temporaryDirectory };
  }

  async #checkSize(expected: Expected): Promise<void> {
    const actual = await this.size(expected.digest);
    if (actual !== expected.size) throw sizeMismatch(expected, String(actual));
  }
}

async function sizeOf(path: HostPath): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw wrapError(error, 'look into the content store');
  }
}
