/**
 * Reads a tar archive that is pushed in as chunks. No file system and no streams: one core for workers and pipelines.
 *
 * Rules where readers differ:
 * - A member without contents (hardlink, symlink, directory, device, FIFO) has size 0. Where its header says otherwise,
 *   the next block decides: a header or zeros mean that no body follows, as Go's archive/tar and libarchive have it;
 *   anything else is the body that POSIX allows a hardlink, and it is skipped.
 * - The archive may end with two blocks of zeros and anything after them, with one such block, or with none. Something
 *   after a single one is an error.
 * - See Extensions and mergeMember for what counts where headers contradict each other.
 */
import type { Bytes } from '../bytes.js';
import { LayerfsError } from '../errors.js';
import { Block, blockSize, padded } from './block.js';
import { Extensions, isExtension } from './extensions.js';
import { shown, type Fail, type Warn } from './fault.js';
import { decodeHeader, field, isChecksumRight, nameIn, numberIn, type Header } from './header.js';
import type { TarHandler, TarMember } from './member.js';
import { mergeMember, pathOf } from './merge.js';
import { SparseMember } from './sparse-member.js';

export type { TarHandler, TarMember, TarType, TarWarning, TarWarningCode } from './member.js';

type State = 'header' | 'extension' | 'sparse-map' | 'data' | 'padding' | 'skip' | 'trailer';

const noBytes = Buffer.alloc(0);
const endsAfterExtension = 'the archive ends after an extended header, without a member for it';

/**
 * Tells its handler every member and every byte of the archive, in order and in constant memory, however the archive is
 * cut into chunks. After an error the reader is not to be used again.
 *
 * @throws LayerfsError TAR_INVALID, LIMIT_EXCEEDED, ENTRY_INVALID from `write` and `end`; its detail has the `offset` of
 *   the header and the `member`'s name
 */
export class TarReader {
  readonly #handler: TarHandler;
  #state: State = 'header';
  /** Bytes still to be collected, passed on or skipped in this state. */
  #remaining = blockSize;
  #chunk: Buffer = noBytes;
  /** Offset of the chunk in the archive. */
  #chunkOffset = 0;
  /** Up to where the chunk is consumed. */
  #position = 0;
  /** From where on what is consumed is raw and not yet handed over. */
  #rawStart = 0;
  readonly #block = new Block();
  /** An extended header that does not lie in one chunk. */
  #payload: Buffer = noBytes;
  /** Bytes in #block or #payload of an item that is not complete. */
  #collected = 0;
  #headerOffset = 0;
  #name: Bytes | null = null;
  #extensions = new Extensions();
  #extension = { flag: 0, size: 0 };
  /** The sparse file whose map is being read. */
  #sparse: SparseMember | null = null;
  /** Padding after the data of the member at hand. */
  #padding = 0;
  /** Length of the body that may follow a member without contents. */
  #possibleBody = 0;
  #isAfterZeros = false;

  constructor(handler: TarHandler) {
    this.#handler = handler;
  }

  /** How many bytes are consumed. While the handler runs: up to the end of what it is told. */
  get offset(): number {
    return this.#chunkOffset + this.#position;
  }

  write(chunk: Buffer): void {
    this.#chunk = chunk;
    while (this.#position < chunk.length) {
      switch (this.#state) {
        case 'header':
        case 'sparse-map':
          this.#collectBlock();
          break;
        case 'extension':
          this.#collectExtension();
          break;
        case 'data':
          this.#passData();
          break;
        case 'padding':
        case 'skip':
          if (this.#advance() === 0) this.#expect('header', blockSize);
          break;
        case 'trailer':
          this.#position = chunk.length;
      }
    }
    this.#passRaw();
    this.#chunkOffset += chunk.length;
    this.#position = 0;
    this.#rawStart = 0;
    this.#chunk = noBytes;
  }

  /** Says that the archive is complete. @throws LayerfsError TAR_INVALID where it is cut short */
  end(): void {
    // `umoci insert` ends a layer with the last byte of its last file, and every other reader takes it.
    if (this.#state === 'trailer' || this.#state === 'padding') return;
    if (this.#state !== 'header') this.#fail('the archive is cut short');
    this.#headerOffset = this.offset - this.#collected;
    this.#name = null;
    if (this.#collected > 0) this.#fail('the archive is cut short');
    if (this.#extensions.count > 0) this.#fail(endsAfterExtension);
  }

  readonly #fail: Fail = (problem, code = 'TAR_INVALID') => {
    const member = this.#name === null ? {} : { member: shown(this.#name) };
    const place = this.#name === null ? '' : ` (${shown(this.#name)})`;
    throw new LayerfsError(code, `tar header at ${this.#headerOffset}${place}: ${problem}`, {
      detail: { offset: this.#headerOffset, ...member },
    });
  };

  /** For a header whose name is not yet known. */
  readonly #failInHeader: Fail = (problem, code) => {
    this.#name = nameIn(this.#block.bytes);
    return this.#fail(problem, code);
  };

  readonly #warn: Warn = (code, message) =>
    this.#handler.warning?.({ code, path: this.#name ?? ('' as Bytes), message });

  #expect(state: State, size: number): void {
    this.#state = state;
    this.#remaining = size;
  }

  /** Consumes as much of what remains as the chunk has; what is then left to come. */
  #advance(): number {
    const size = Math.min(this.#remaining, this.#chunk.length - this.#position);
    this.#position += size;
    this.#remaining -= size;
    return this.#remaining;
  }

  #passRaw(): void {
    if (this.#rawStart < this.#position) {
      this.#handler.raw?.(this.#chunk.subarray(this.#rawStart, this.#position));
    }
    this.#rawStart = this.#position;
  }

  #passData(): void {
    this.#passRaw();
    const start = this.#position;
    const left = this.#advance();
    this.#rawStart = this.#position;
    this.#handler.data(this.#chunk.subarray(start, this.#position));
    if (left === 0) this.#endMember();
  }

  /** Copies into `target`; true when it has all that was expected. */
  #collect(target: Buffer): boolean {
    const start = this.#position;
    const left = this.#advance();
    this.#chunk.copy(target, this.#collected, start, this.#position);
    this.#collected = left === 0 ? 0 : this.#collected + this.#position - start;
    return left === 0;
  }

  #collectBlock(): void {
    if (!this.#collect(this.#block.bytes)) return;
    if (this.#sparse === null) {
      this.#header();
    } else {
      this.#sparse.mapBlock(this.#block.bytes, this.#fail);
      this.#continueSparse(this.#sparse);
    }
  }

  #collectExtension(): void {
    const { size } = this.#extension;
    if (this.#collected === 0 && this.#chunk.length - this.#position >= this.#remaining) {
      const start = this.#position;
      this.#advance();
      this.#applyExtension(this.#chunk.subarray(start, start + size));
      return;
    }
    if (this.#collected === 0) this.#payload = Buffer.allocUnsafe(this.#remaining);
    if (!this.#collect(this.#payload)) return;
    const payload = this.#payload.subarray(0, size);
    this.#payload = noBytes;
    this.#applyExtension(payload);
  }

  #header(): void {
    this.#headerOffset = this.offset - blockSize;
    this.#name = null;
    this.#remaining = blockSize;
    const block = this.#block.bytes;
    const sum = this.#block.sum();
    if (sum === 0) {
      this.#zeros();
      return;
    }
    if (this.#isAfterZeros) this.#fail('something follows a single block of zeros');
    const body = this.#possibleBody;
    this.#possibleBody = 0;
    if (!isChecksumRight(block, sum)) {
      if (body === 0) this.#fail('its checksum is wrong');
      this.#skip(padded(body) - blockSize);
      return;
    }
    const flag = block[field.typeflag.start] ?? 0;
    if (isExtension(flag)) this.#announceExtension(flag, numberIn(block, 'size', this.#failInHeader));
    else this.#member(decodeHeader(block, this.#failInHeader), block);
  }

  #zeros(): void {
    if (this.#extensions.count > 0) this.#fail(endsAfterExtension);
    if (this.#isAfterZeros) this.#state = 'trailer';
    this.#isAfterZeros = true;
  }

  #skip(size: number): void {
    if (size === 0) this.#expect('header', blockSize);
    else this.#expect('skip', size);
  }

  #announceExtension(flag: number, size: number): void {
    this.#extensions.announce(size, this.#fail);
    this.#extension = { flag, size };
    if (size === 0) this.#applyExtension(noBytes);
    else this.#expect('extension', padded(size));
  }

  #applyExtension(payload: Buffer): void {
    this.#extensions.add(this.#extension.flag, payload, this.#fail, this.#warn);
    this.#expect('header', blockSize);
  }

  #member(header: Header, block: Buffer): void {
    const extensions = this.#extensions;
    this.#name = pathOf(header, extensions);
    const member = mergeMember(header, extensions, this.offset, this.#fail, this.#warn);
    if (extensions.count > 0) this.#extensions = new Extensions();
    const sparse = SparseMember.of(member, header, block, extensions.pax?.sparse ?? null, this.#fail);
    if (sparse !== null) {
      this.#sparse = sparse;
      this.#continueSparse(sparse);
    } else if (member.type === 'file' || member.size === 0) {
      this.#deliver(member);
    } else {
      this.#possibleBody = member.size;
      this.#deliver({ ...member, size: 0, dataSize: 0 });
    }
  }

  #continueSparse(sparse: SparseMember): void {
    if (sparse.isMapComplete) {
      this.#sparse = null;
      this.#deliver(sparse.finish(this.offset, this.#fail));
    } else {
      this.#expect('sparse-map', blockSize);
    }
  }

  #deliver(member: TarMember): void {
    this.#handler.member(member);
    this.#padding = padded(member.dataSize) - member.dataSize;
    if (member.dataSize === 0) this.#endMember();
    else this.#expect('data', member.dataSize);
  }

  #endMember(): void {
    this.#handler.memberEnd();
    if (this.#padding > 0) this.#expect('padding', this.#padding);
    else this.#expect('header', blockSize);
  }
}
