/**
 * Zstandard frames in pure JavaScript: fzstd decodes blocks, this gives it one at a time and checks everything
 * around them.
 */
import { Decompress } from 'fzstd';
import type { XXHashAPI } from 'xxhash-wasm';
import { messageOf } from '../errors.js';
import type { Hash64 } from '../hash.js';
import { limits } from '../limits.js';
import { compressionInvalid } from './expansion.js';
import type { Decoded, ZstdDecoder } from './zstd-decoder.js';

const frameMagic = 0xfd2fb528;
/** The low four bits are the writer's. */
const skippableMagic = 0x184d2a50;
const blockSizeMax = 128 * 1024;

/**
 * The part of the format that comes next. A part that is set in brackets follows its predecessor in the buffer.
 */
type Part =
  | 'magic'
  | '[descriptor]'
  | '[frame header]'
  | '[skippable size]'
  | 'skippable data'
  | 'block header'
  | '[block]'
  | 'checksum';

interface Frame {
  readonly decompress: Decompress;
  /** Of the uncompressed content; null where the header does not say. */
  readonly contentSize: number | null;
  /** Null where no checksum follows the last block. */
  readonly hash: Hash64 | null;
  produced: number;
}

/**
 * fzstd takes the window that a frame asks for, believes every length, and ignores checksums and dictionaries;
 * given whole blocks of frames that have been checked it decodes them right.
 */
export class FzstdDecoder implements ZstdDecoder {
  readonly #xxhash: XXHashAPI;
  readonly #buffer = Buffer.allocUnsafeSlow(3 + blockSizeMax);
  #filled = 0;
  #needed = 4;
  #part: Part = 'magic';
  #frame: Frame | null = null;
  #skip = 0;
  #output: Uint8Array[] = [];

  constructor(xxhash: XXHashAPI) {
    this.#xxhash = xxhash;
  }

  get betweenFrames(): boolean {
    return this.#part === 'magic' && this.#filled === 0;
  }

  decode(input: Buffer): Decoded {
    if (this.#part === 'skippable data') {
      const consumed = Math.min(input.length, this.#skip);
      this.#skip -= consumed;
      if (this.#skip === 0) this.#expect('magic', 4);
      return { consumed, output: nothing, more: false };
    }
    const consumed = input.copy(this.#buffer, this.#filled, 0, this.#needed - this.#filled);
    this.#filled += consumed;
    while (this.#filled === this.#needed) this.#complete();
    const [first = nothing, ...others] = this.#output;
    this.#output = [];
    return { consumed, output: others.length === 0 ? first : Buffer.concat([first, ...others]), more: false };
  }

  /** A part of its own: what is in the buffer is done with. */
  #expect(part: Part, needed: number): void {
    this.#filled = 0;
    this.#extend(part, needed);
  }

  /** A part that goes with the one before it: `needed` counts both. */
  #extend(part: Part, needed: number): void {
    this.#part = part;
    this.#needed = needed;
  }

  #complete(): void {
    switch (this.#part) {
      case 'magic':
        this.#magic(this.#buffer.readUInt32LE(0));
        break;
      case '[descriptor]':
        this.#extend('[frame header]', frameHeaderSize(this.#buffer.readUInt8(4)));
        break;
      case '[frame header]':
        this.#frameHeader(Buffer.from(this.#buffer.subarray(0, this.#filled)));
        break;
      case '[skippable size]':
        this.#skip = this.#buffer.readUInt32LE(4);
        if (this.#skip === 0) this.#expect('magic', 4);
        else this.#expect('skippable data', Infinity);
        break;
      case 'block header':
        this.#blockHeader(this.#buffer.readUIntLE(0, 3));
        break;
      case '[block]':
        this.#block(this.#buffer.subarray(0, this.#filled));
        break;
      case 'checksum':
        this.#checksum(this.#buffer.readUInt32LE(0));
        break;
      case 'skippable data':
        throw new TypeError('skippable data is not collected');
    }
  }

  #magic(magic: number): void {
    if (magic === frameMagic) this.#extend('[descriptor]', 5);
    else if ((magic & ~0xf) === skippableMagic) this.#extend('[skippable size]', 8);
    else throw invalid('not a frame');
  }

  #frameHeader(header: Buffer): void {
    const descriptor = header.readUInt8(4);
    const { dictionary, contentSize, window } = parseFrameHeader(header);
    if (dictionary !== 0) throw invalid(`a frame needs dictionary ${dictionary}`);
    if (window > limits.zstdWindow) throw invalid(`a frame needs a window of ${window} bytes`);
    const decompress = new Decompress((chunk) => this.#produce(chunk));
    const hash = (descriptor & checksumFlag) === 0 ? null : this.#xxhash.create64();
    this.#frame = { decompress, contentSize, hash, produced: 0 };
    // The checksum stays with us.
    header.writeUInt8(descriptor & ~checksumFlag, 4);
    this.#push(header, false);
    this.#expect('block header', 3);
  }

  #blockHeader(header: number): void {
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === 3) throw invalid('a block of the reserved type');
    if (size > blockSizeMax) throw invalid(`a block of ${size} bytes`);
    this.#extend('[block]', 3 + (type === runLengthBlock ? 1 : size));
  }

  #block(block: Buffer): void {
    const isLast = (block.readUInt8(0) & 1) === 1;
    this.#push(Buffer.from(block), isLast);
    if (!isLast) {
      this.#expect('block header', 3);
      return;
    }
    const { contentSize, produced, hash } = this.#open;
    if (contentSize !== null && contentSize !== produced) {
      throw invalid(`a frame of ${contentSize} bytes has ${produced}`);
    }
    if (hash === null) this.#endFrame();
    else this.#expect('checksum', 4);
  }

  #checksum(checksum: number): void {
    const actual = this.#open.hash?.digest() ?? 0n;
    if (Number(actual & 0xffffffffn) !== checksum) throw invalid('the checksum of a frame is wrong');
    this.#endFrame();
  }

  #endFrame(): void {
    this.#frame = null;
    this.#expect('magic', 4);
  }

  get #open(): Frame {
    if (this.#frame === null) throw new TypeError('no frame is open');
    return this.#frame;
  }

  #produce(chunk: Uint8Array): void {
    const frame = this.#open;
    frame.produced += chunk.length;
    frame.hash?.update(chunk);
    if (chunk.length > 0) this.#output.push(chunk);
  }

  #push(data: Buffer, isLast: boolean): void {
    try {
      this.#open.decompress.push(data, isLast);
    } catch (error) {
      // It indexes without looking, so that damage shows as any kind of error.
      throw invalid(messageOf(error), error);
    }
  }
}

const nothing = new Uint8Array(0);
const checksumFlag = 4;
const runLengthBlock = 1;

/** Of the whole header, magic number included, from its descriptor (RFC 8878, section 3.1.1.1). */
function frameHeaderSize(descriptor: number): number {
  if ((descriptor & 8) !== 0) throw invalid('a reserved bit is set');
  const isSingleSegment = (descriptor & 0x20) !== 0;
  return 5 + (isSingleSegment ? 0 : 1) + dictionarySize(descriptor) + contentSizeSize(descriptor);
}

function dictionarySize(descriptor: number): number {
  return [0, 1, 2, 4][descriptor & 3] ?? 0;
}

function contentSizeSize(descriptor: number): number {
  return [(descriptor >> 5) & 1, 2, 4, 8][descriptor >> 6] ?? 0;
}

function parseFrameHeader(header: Buffer): {
  dictionary: number;
  contentSize: number | null;
  window: number;
} {
  const descriptor = header.readUInt8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryAt = isSingleSegment ? 5 : 6;
  const contentSizeAt = dictionaryAt + dictionarySize(descriptor);
  const dictionary = littleEndian(header.subarray(dictionaryAt, contentSizeAt));
  const contentSizeField = header.subarray(contentSizeAt);
  const contentSize =
    contentSizeField.length === 0
      ? null
      : littleEndian(contentSizeField) + (contentSizeField.length === 2 ? 256 : 0);
  if (isSingleSegment) return { dictionary, contentSize, window: contentSize ?? 0 };
  const exponent = header.readUInt8(5) >> 3;
  const mantissa = header.readUInt8(5) & 7;
  return { dictionary, contentSize, window: 2 ** (10 + exponent) * (1 + mantissa / 8) };
}

function littleEndian(field: Uint8Array): number {
  return field.reduceRight((value, byte) => value * 256 + byte, 0);
}

function invalid(problem: string, cause?: unknown): Error {
  return compressionInvalid(`zstd: ${problem}`, cause);
}
