/**
 * What is kept of a tar where only its files are kept: every byte that is not their data, so that the tar can be put
 * together again exactly.
 *
 * Format: `LFSRAW` and the version (u16, 1), then records of a raw run and the data run after it: length of the raw run
 * (u32, at most 65,536), its bytes, length of the data run (u64). A record of two empty runs is the last. Little-endian.
 */
import { LayerfsError } from '../errors.js';

const magic = Buffer.from('LFSRAW\x01\x00', 'latin1');
const rawCapacity = 65_536;
const highWord = 0x1_0000_0000;

/** Encodes a tar that it is told in order: `raw` for bytes to be kept, `data` for those kept elsewhere, `end` once. */
export class RawTarEncoder {
  readonly #emit: (bytes: Buffer) => void;
  readonly #raw = Buffer.allocUnsafe(rawCapacity);
  #rawLength = 0;
  #dataLength = 0;

  /** @param emit is given the form piece by piece, and may keep the pieces */
  constructor(emit: (bytes: Buffer) => void) {
    this.#emit = emit;
    emit(Buffer.from(magic));
  }

  /** @param bytes are copied */
  raw(bytes: Buffer): void {
    if (this.#dataLength > 0) this.#record();
    for (let at = 0; at < bytes.length;) {
      const size = bytes.copy(this.#raw, this.#rawLength, at);
      this.#rawLength += size;
      at += size;
      if (this.#rawLength === rawCapacity) this.#record();
    }
  }

  data(length: number): void {
    this.#dataLength += length;
  }

  end(): void {
    if (this.#rawLength > 0 || this.#dataLength > 0) this.#record();
    this.#record();
  }

  #record(): void {
    const record = Buffer.allocUnsafe(4 + this.#rawLength + 8);
    record.writeUInt32LE(this.#rawLength, 0);
    this.#raw.copy(record, 4, 0, this.#rawLength);
    record.writeUInt32LE(this.#dataLength % highWord, 4 + this.#rawLength);
    record.writeUInt32LE(Math.floor(this.#dataLength / highWord), 8 + this.#rawLength);
    this.#rawLength = 0;
    this.#dataLength = 0;
    this.#emit(record);
  }
}

/**
 * Yields the tar that was encoded, byte for byte. `readData` is asked for each data run, by its offset in the tar.
 *
 * @throws LayerfsError STORE_INVALID where the records are damaged or cut short, or a data run has another length
 */
export async function* rebuildTar(
  records: AsyncIterable<Buffer>,
  readData: (tarOffset: number, length: number) => AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  let isBegun = false;
  let isEnded = false;
  let tarOffset = 0;
  for await (const chunk of records) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (!isBegun && rest.length >= magic.length) {
      if (!rest.subarray(0, magic.length).equals(magic)) throw damaged('their version is not known');
      rest = rest.subarray(magic.length);
      isBegun = true;
    }
    for (let record = isBegun ? firstRecord(rest) : null; record !== null; record = firstRecord(rest)) {
      if (isEnded) throw damaged('something follows their end');
      rest = rest.subarray(record.length);
      isEnded = record.raw.length === 0 && record.dataLength === 0;
      if (record.raw.length > 0) yield record.raw;
      tarOffset += record.raw.length;
      if (record.dataLength > 0) yield* exactly(readData(tarOffset, record.dataLength), record.dataLength);
      tarOffset += record.dataLength;
    }
  }
  if (!isEnded || rest.length > 0) throw damaged('they end in the wrong place');
}

/** The record that `buffer` begins with, or null where it has but a part of one. */
function firstRecord(buffer: Buffer): { raw: Buffer; dataLength: number; length: number } | null {
  if (buffer.length < 4) return null;
  const rawLength = buffer.readUInt32LE(0);
  if (rawLength > rawCapacity) throw damaged('a raw run is too long');
  const length = 4 + rawLength + 8;
  if (buffer.length < length) return null;
  const dataLength = buffer.readUInt32LE(4 + rawLength) + buffer.readUInt32LE(8 + rawLength) * highWord;
  if (!Number.isSafeInteger(dataLength)) throw damaged('a data run is too long');
  return { raw: buffer.subarray(4, 4 + rawLength), dataLength, length };
}

async function* exactly(source: AsyncIterable<Buffer>, length: number): AsyncGenerator<Buffer> {
  let missing = length;
  for await (const chunk of source) {
    missing -= chunk.length;
    if (missing < 0) break;
    yield chunk;
  }
  if (missing !== 0) throw damaged(`a data run is not ${length} bytes long`);
}

function damaged(problem: string): LayerfsError {
  return new LayerfsError('STORE_INVALID', `the bytes kept of a tar are damaged: ${problem}`);
}
