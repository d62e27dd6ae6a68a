/**
 * A blob becomes a layer in one pass: read, verify, copy into the content store, decompress, hash, decode the tar,
 * write the tree, index. Synchronous where it touches files, so it belongs in a worker thread.
 */
import { once } from 'node:events';
import { createReadStream, createWriteStream, fstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { finished, pipeline } from 'node:stream/promises';
import { createGzip, type Gzip } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import { throwIfAborted } from '../abort.js';
import type { HostPath } from '../bytes.js';
import { createDecompressor } from '../compress/decompress.js';
import { detectCompression, detectionLength } from '../compress/detect.js';
import { Verifier, type Expected } from '../content/verify.js';
import { algorithmOf, hasher, type Digest } from '../digest.js';
import { LayerfsError, wrapError } from '../errors.js';
import { xxhash } from '../hash.js';
import { encodeIndex } from '../layer/index-encode.js';
import { LayerIndex } from '../layer/layer-index.js';
import { layerFiles } from '../layer/layer-files.js';
import type { DirectoryNode } from '../layer/node.js';
import { emptyLower, type Lower } from '../layer/lower.js';
import { LayerTree } from '../layer/tree.js';
import type { BlobLocation } from '../content/location.js';
import { tryFiclone } from '../sys/index.js';
import { RawTarEncoder } from '../tar/raw.js';
import { TarReader, type TarWarning } from '../tar/reader.js';
import { StoredLower } from './lower.js';
import { TarToTree } from './tar-to-tree.js';
import { LayerUnpacker } from './unpack.js';

/** Plain data, as it goes to a worker thread. */
export interface ExtractTask {
  readonly blob: BlobLocation;
  readonly expected: Expected;
  /** Where to put a copy of the blob; null where the store has it. */
  readonly copyTo: HostPath | null;
  /** What the uncompressed tar must have as its digest. */
  readonly diffId: Digest;
  /** An empty directory, which gets the tree, the index and the tar's frame. */
  readonly directory: HostPath;
  /**
   * The layers below, bottom first; null while they are not known, so that links into them and implied directories
   * stay open questions (`LayerIndex.dependsOnLower`).
   */
  readonly lower: readonly LowerPaths[] | null;
}

/** Where a stored layer has what further layers may need of it. */
export interface LowerPaths {
  readonly index: HostPath;
  readonly tree: HostPath;
}

export interface ExtractResult {
  readonly tarSize: number;
  /** Records of the index. */
  readonly entries: number;
  /** Bytes of all files, each inode once. */
  readonly size: number;
  readonly tarFrame: boolean;
  readonly dependsOnLower: boolean;
  /** At most `warningsKept`. */
  readonly warnings: readonly TarWarning[];
}

export interface ExtractHooks {
  /** Compressed bytes done so far; called a few times a second. */
  onProgress?: (bytes: number) => void;
  signal?: AbortSignal | undefined;
}

const readSize = 1024 * 1024;
/** A hostile layer must not fill the memory with complaints. */
const warningsKept = 100;
const progressInterval = 100;

/**
 * @throws LayerfsError SIZE_MISMATCH, DIGEST_MISMATCH, DIFFID_MISMATCH, COMPRESSION_INVALID, TAR_INVALID,
 *   ENTRY_INVALID, PATH_ESCAPE, LIMIT_EXCEEDED, NO_SPACE, FILESYSTEM, ABORTED. What is in `directory` is then of no use.
 */
export async function extractLayer(task: ExtractTask, hooks: ExtractHooks = {}): Promise<ExtractResult> {
  try {
    return await extract(task, hooks);
  } catch (error) {
    throw wrapError(error, `layer ${task.diffId}`, { layer: task.diffId, digest: task.expected.digest });
  }
}

async function extract(task: ExtractTask, hooks: ExtractHooks): Promise<ExtractResult> {
  const tree = join(task.directory, layerFiles.tree);
  mkdirSync(tree, 0o700);
  const below = await readLower(task);
  const warnings: TarWarning[] = [];
  using unpacker = new LayerUnpacker(tree, below.copyUp);
  const layer = new LayerTree(unpacker, below.lower);
  const frame = new TarFrameFile(join(task.directory, layerFiles.tarFrame));
  const handler = new TarToTree(layer, unpacker, frame.encoder, await xxhash(), (warning) => {
    if (warnings.length < warningsKept) warnings.push(warning);
  });
  const reader = new TarReader(handler);
  const hash = hasher(algorithmOf(task.diffId));
  await decompressed(task, hooks, async (chunk) => {
    hash.update(chunk);
    reader.write(chunk);
    await frame.drained();
  });
  reader.end();
  const diffId = `${algorithmOf(task.diffId)}:${hash.digest('hex')}`;
  if (diffId !== task.diffId) {
    throw new LayerfsError(
      'DIFFID_MISMATCH',
      `layer ${task.expected.digest}: uncompressed it has digest ${diffId}, the config says ${task.diffId}`,
      { detail: { digest: task.expected.digest, expected: task.diffId, actual: diffId } },
    );
  }
  unpacker.finish(layer.root);
  await frame.end();
  if (layer.dataReplaced) rmSync(join(task.directory, layerFiles.tarFrame));
  const index = await encodeIndex(layer.root, { tarSize: reader.offset });
  writeFileSync(join(task.directory, layerFiles.index), index, { mode: 0o600 });
  const { count } = await LayerIndex.decode(index);
  return {
    tarSize: reader.offset,
    entries: count,
    size: sizeOf(layer.root),
    tarFrame: !layer.dataReplaced,
    dependsOnLower: layer.dependsOnLower,
    warnings,
  };
}

async function readLower(task: ExtractTask): Promise<{ lower: Lower | null; copyUp: StoredLower['copyUp'] }> {
  const nothing = (): never => {
    throw new TypeError('there is nothing below to copy from');
  };
  if (task.lower === null) return { lower: null, copyUp: nothing };
  if (task.lower.length === 0) return { lower: emptyLower, copyUp: nothing };
  const layers = [];
  for (const { index, tree } of task.lower) layers.push({ index: await readIndex(index), tree });
  const lower = new StoredLower(layers);
  return { lower, copyUp: lower.copyUp };
}

/** The layers of one image are each other's lower layers, so a thread that has read an index will want it again. */
const indexes = new LRUCache<HostPath, LayerIndex>({ maxSize: 32 * 1024 * 1024 });

async function readIndex(path: HostPath): Promise<LayerIndex> {
  const known = indexes.get(path);
  if (known !== undefined) return known;
  const index = await LayerIndex.read(path);
  indexes.set(path, index, { size: index.byteLength });
  return index;
}

/** Feeds the uncompressed bytes of the blob to `use`; the compressed ones are verified, and copied if asked for. */
async function decompressed(
  task: ExtractTask,
  hooks: ExtractHooks,
  use: (chunk: Buffer) => Promise<void>,
): Promise<void> {
  const verifier = new Verifier(task.expected);
  await using input = await BlobInput.open(task);
  let done = 0;
  let reported = Date.now();
  const verify = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      throwIfAborted(hooks.signal, `unpack ${task.expected.digest}`);
      verifier.update(chunk);
      await input.copy(chunk);
      done += chunk.length;
      if (Date.now() - reported >= progressInterval) {
        reported = Date.now();
        hooks.onProgress?.(done);
      }
      yield chunk;
    }
    verifier.end();
  };
  const compression = detectCompression(await input.firstBytes());
  // A failing stage aborts the others, and pipeline may report one of those: the first failure is the one that counts.
  const failures: unknown[] = [];
  const first = async function* <T>(stage: AsyncIterable<T>): AsyncGenerator<T> {
    try {
      yield* stage;
    } catch (error) {
      failures.push(error);
      throw error;
    }
  };
  const sink = async (source: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of source) {
      try {
        await use(chunk);
      } catch (error) {
        failures.push(error);
        throw error;
      }
    }
  };
  const compressed = (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> => first(verify(source));
  try {
    if (compression === 'none') await pipeline(input.stream(), compressed, sink);
    else await pipeline(input.stream(), compressed, createDecompressor(compression), sink);
  } catch (error) {
    throw failures[0] ?? error;
  }
  hooks.onProgress?.(done);
}

/** The blob being read and, where one was asked for, the copy being made of it. */
class BlobInput implements AsyncDisposable {
  readonly #source: FileHandle;
  readonly #offset: number;
  readonly #size: number;
  readonly #target: FileHandle | null;

  private constructor(source: FileHandle, offset: number, size: number, target: FileHandle | null) {
    this.#source = source;
    this.#offset = offset;
    this.#size = size;
    this.#target = target;
  }

  static async open({ blob, copyTo }: ExtractTask): Promise<BlobInput> {
    const source = await open(blob.file, 'r');
    if (copyTo === null) return new BlobInput(source, blob.offset, blob.size, null);
    try {
      const target = await open(copyTo, 'wx+', 0o600);
      const whole = blob.offset === 0 && fstatSync(source.fd).size === blob.size;
      if (whole && tryFiclone(source.fd, target.fd) === 0) {
        // The clone is what gets verified, so nobody can change it any more.
        await source.close();
        return new BlobInput(target, 0, blob.size, null);
      }
      return new BlobInput(source, blob.offset, blob.size, target);
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  async firstBytes(): Promise<Buffer> {
    const buffer = Buffer.alloc(Math.min(detectionLength, this.#size));
    const { bytesRead } = await this.#source.read(buffer, 0, buffer.length, this.#offset);
    return buffer.subarray(0, bytesRead);
  }

  /** All of the blob; a longer source is not read further, a shorter one ends early. */
  stream(): AsyncIterable<Buffer> & NodeJS.ReadableStream {
    if (this.#size === 0) return createReadStream('/dev/null');
    return createReadStream('', {
      fd: this.#source,
      start: this.#offset,
      end: this.#offset + this.#size - 1,
      highWaterMark: readSize,
      autoClose: false,
    });
  }

  async copy(chunk: Buffer): Promise<void> {
    if (this.#target === null) return;
    for (let written = 0; written < chunk.length;) {
      written += (await this.#target.write(chunk, written)).bytesWritten;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source.close();
    await this.#target?.close();
  }
}

/** A write to a compressor costs more than many headers: they go together, in pieces of this size. */
const framePiece = 256 * 1024;

/** `tar-frame.gz` being written. */
class TarFrameFile {
  readonly encoder: RawTarEncoder;
  readonly #gzip: Gzip;
  readonly #written: Promise<void>;
  #piece = Buffer.allocUnsafe(framePiece);
  #filled = 0;

  constructor(path: HostPath) {
    // Level 1: the frame is mostly zeros, and a layer's speed matters more than a few bytes of it.
    this.#gzip = createGzip({ level: 1, chunkSize: framePiece });
    const file = createWriteStream(path, { mode: 0o600 });
    this.#gzip.pipe(file);
    this.#written = finished(file);
    // A failure is reported by `end`; until then it must not count as unhandled.
    this.#written.catch(() => undefined);
    this.encoder = new RawTarEncoder((bytes) => this.#add(bytes));
  }

  #add(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      const copied = bytes.copy(this.#piece, this.#filled, at);
      at += copied;
      this.#filled += copied;
      if (this.#filled === framePiece) this.#flush();
    }
  }

  #flush(): void {
    this.#gzip.write(this.#piece.subarray(0, this.#filled));
    this.#piece = Buffer.allocUnsafe(framePiece);
    this.#filled = 0;
  }

  async drained(): Promise<void> {
    if (this.#gzip.writableNeedDrain) await Promise.race([once(this.#gzip, 'drain'), this.#written]);
  }

  async end(): Promise<void> {
    this.encoder.end();
    this.#flush();
    this.#gzip.end();
    await this.#written;
  }
}

function sizeOf(directory: DirectoryNode): number {
  let size = 0;
  for (const child of directory.children.values()) {
    if (child.kind === 'file') size += child.size;
    else if (child.kind === 'directory') size += sizeOf(child);
  }
  return size;
}
