/** A layer index as a file: is it one, is it whole, and where its sections are. */
import { LayerfsError } from '../errors.js';
import { hash64, xxhash } from '../hash.js';
import {
  alignment,
  checksumSize,
  headerWord,
  integerAt,
  knownHeaderFlags,
  magic,
  recordWords,
  sectionNames,
  sectionWords,
  version,
  type SectionName,
} from './index-format.js';

export function invalid(reason: string): LayerfsError {
  return new LayerfsError('INDEX_INVALID', `layer index: ${reason}`);
}

/** Where a section is, in bytes. */
export interface Section {
  readonly offset: number;
  readonly size: number;
}

/** The file is whole; what is in its sections is not checked. */
export class IndexFile {
  readonly bytes: Buffer;
  /** The whole file. */
  readonly words: Uint32Array;
  readonly flags: number;
  readonly tarSize: number;
  readonly recordCount: number;
  readonly sections: Readonly<Record<SectionName, Section>>;

  private constructor(bytes: Buffer, words: Uint32Array) {
    this.bytes = bytes;
    this.words = words;
    this.flags = this.word(headerWord.flags);
    this.tarSize = integerAt(words, headerWord.tarSize);
    this.recordCount = this.word(headerWord.recordCount);
    this.sections = readSections(bytes, words);
    if ((this.flags & ~knownHeaderFlags) !== 0) throw invalid(`unknown flags ${this.flags}`);
    if (!Number.isSafeInteger(this.tarSize) || this.tarSize < -1)
      throw invalid('the size of the tar is wrong');
    if (this.sections.records.size !== this.recordCount * recordWords * 4) {
      throw invalid('the count of records is wrong');
    }
  }

  /** @throws LayerfsError INDEX_INVALID */
  static async open(buffer: Buffer): Promise<IndexFile> {
    const minimum = (headerWord.sections + sectionNames.length * sectionWords) * 4 + checksumSize;
    if (buffer.length < minimum || buffer.toString('latin1', 0, magic.length) !== magic) {
      throw invalid('not a layer index');
    }
    const found = buffer.readUInt32LE(headerWord.version * 4);
    if (found !== version) throw invalid(`version ${found} is not known, only ${version}`);
    const size = Number(buffer.readBigInt64LE(headerWord.fileSize * 4));
    if (size !== buffer.length || size % alignment !== 0) {
      throw invalid(`its size is ${buffer.length} bytes, not ${size}`);
    }
    const end = size - checksumSize;
    const checksum = hash64(await xxhash(), buffer.subarray(0, end));
    if (buffer.readBigUInt64LE(end) !== checksum) throw invalid('the checksum is wrong');

    const bytes = buffer.byteOffset % alignment === 0 ? buffer : Buffer.from(new Uint8Array(buffer).buffer);
    return new IndexFile(bytes, new Uint32Array(bytes.buffer, bytes.byteOffset, size / 4));
  }

  /** 0 beyond the end, where nothing checked ever looks. */
  word(at: number): number {
    return this.words[at] ?? 0;
  }
}

function readSections(bytes: Buffer, words: Uint32Array): Record<SectionName, Section> {
  const end = bytes.length - checksumSize;
  const count = words[headerWord.sectionCount] ?? 0;
  let free = (headerWord.sections + count * sectionWords) * 4;
  if (count < sectionNames.length) throw invalid('the section table is wrong');
  const sections = {} as Record<SectionName, Section>;
  sectionNames.forEach((name, i) => {
    const at = headerWord.sections + i * sectionWords;
    const section = { offset: words[at] ?? 0, size: words[at + 1] ?? 0 };
    if (section.offset < free || section.offset % alignment !== 0 || section.offset + section.size > end) {
      throw invalid(`section ${name} is out of place`);
    }
    free = section.offset + section.size;
    sections[name] = section;
  });
  return sections;
}
