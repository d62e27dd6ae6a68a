/** Joins the tar reader to the tree and its unpacker, and fingerprints contents on the way. */
import type { XXHashAPI } from 'xxhash-wasm';
import { hash64, type Hash64 } from '../hash.js';
import type { FileNode } from '../layer/node.js';
import type { LayerTree } from '../layer/tree.js';
import { entryOf } from '../tar/layer-tar.js';
import type { TarHandler, TarMember, TarWarning } from '../tar/member.js';
import type { RawTarEncoder } from '../tar/raw.js';
import type { LayerUnpacker } from './unpack.js';

/** Pieces that stay in the processor's cache while they are hashed. */
const hashPiece = 64 * 1024;

export class TarToTree implements TarHandler {
  readonly #tree: LayerTree;
  readonly #unpacker: LayerUnpacker;
  readonly #frame: RawTarEncoder;
  readonly #xxhash: XXHashAPI;
  readonly #emptyHash: bigint;
  readonly warning: (warning: TarWarning) => void;
  /** The file whose data is coming; null while data belongs to nothing that is kept. */
  #file: FileNode | null = null;
  #dataSize = 0;
  #hash: Hash64 | null = null;

  constructor(
    tree: LayerTree,
    unpacker: LayerUnpacker,
    frame: RawTarEncoder,
    xxhash: XXHashAPI,
    warn: (warning: TarWarning) => void,
  ) {
    this.#tree = tree;
    this.#unpacker = unpacker;
    this.#frame = frame;
    this.#xxhash = xxhash;
    this.#emptyHash = hash64(xxhash, Buffer.alloc(0));
    this.warning = warn;
  }

  member(member: TarMember): void {
    const entry = entryOf(member, this.warning);
    this.#file = entry === null ? null : this.#tree.put(entry, member.dataOffset);
    this.#dataSize = member.dataSize;
    this.#hash = null;
    if (this.#file !== null) this.#file.contentHash = this.#emptyHash;
  }

  data(chunk: Buffer): void {
    if (this.#file === null) {
      this.#frame.raw(chunk);
      return;
    }
    this.#frame.data(chunk.length);
    this.#unpacker.data(chunk);
    if (chunk.length === this.#dataSize) {
      this.#file.contentHash = hash64(this.#xxhash, chunk);
      return;
    }
    this.#hash ??= this.#xxhash.create64();
    for (let at = 0; at < chunk.length; at += hashPiece)
      this.#hash.update(chunk.subarray(at, at + hashPiece));
  }

  memberEnd(): void {
    if (this.#file === null) return;
    if (this.#hash !== null) this.#file.contentHash = this.#hash.digest();
    this.#unpacker.fileEnd();
    this.#file = null;
  }

  raw(bytes: Buffer): void {
    this.#frame.raw(bytes);
  }
}
