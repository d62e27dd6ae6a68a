/**
 * Sections `sparse` and `extents` of a layer index. `sparse` has three words for each sparse file, in the order of
 * the records: the record, the number of its first extent, the count of its extents. `extents` has the offset and
 * the size of each run of data, 64-bit numbers both.
 */
import type { Extent } from './entry.js';
import { invalid, type IndexFile } from './index-file.js';
import { integerAt, recordFlags, recordWord, recordWords, setInteger } from './index-format.js';

const sparseWords = 3;
const extentWords = 4;

/** The sections while they are written; records come in ascending order. */
export class ExtentHeap {
  readonly #table: number[] = [];
  readonly #extents: Extent[] = [];

  add(record: number, extents: readonly Extent[]): void {
    this.#table.push(record, this.#extents.length, extents.length);
    for (const extent of extents) this.#extents.push(extent);
  }

  tableToBuffer(): Buffer {
    return Buffer.from(Uint32Array.from(this.#table).buffer);
  }

  extentsToBuffer(): Buffer {
    const words = new Uint32Array(this.#extents.length * extentWords);
    this.#extents.forEach(({ offset, size }, i) => {
      setInteger(words, i * extentWords, offset);
      setInteger(words, i * extentWords + 2, size);
    });
    return Buffer.from(words.buffer);
  }
}

/** Of a sparse file. */
export function extentsOf(file: IndexFile, record: number): Extent[] {
  const table = file.sections.sparse.offset / 4;
  let low = 0;
  let high = file.sections.sparse.size / (sparseWords * 4);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (file.word(table + middle * sparseWords) < record) low = middle + 1;
    else high = middle;
  }
  const first = file.word(table + low * sparseWords + 1);
  return Array.from({ length: file.word(table + low * sparseWords + 2) }, (_, i) => {
    const at = file.sections.extents.offset / 4 + (first + i) * extentWords;
    return { offset: integerAt(file.words, at), size: integerAt(file.words, at + 2) };
  });
}

/**
 * The table names each of the `count` sparse files, and no other record.
 * @throws LayerfsError INDEX_INVALID
 */
export function validateSparse(file: IndexFile, count: number): void {
  const { sections, recordCount } = file;
  const table = sections.sparse.offset / 4;
  const wrong = 'the table of sparse files is wrong';
  if (sections.sparse.size !== count * sparseWords * 4) throw invalid(wrong);
  let previous = -1;
  for (let i = 0; i < count; i++) {
    const record = file.word(table + i * sparseWords);
    if (record <= previous || record >= recordCount) throw invalid(wrong);
    const packed = file.word(sections.records.offset / 4 + record * recordWords + recordWord.packed);
    if ((packed & recordFlags.sparse) === 0) throw invalid(wrong);
    previous = record;
    const first = file.word(table + i * sparseWords + 1);
    validateExtents(file, record, first, first + file.word(table + i * sparseWords + 2));
  }
}

/** In order, apart, inside the file; their data inside the tar. */
function validateExtents(file: IndexFile, record: number, first: number, last: number): void {
  const { words, sections, tarSize } = file;
  const at = sections.records.offset / 4 + record * recordWords;
  const size = integerAt(words, at + recordWord.fileSize);
  const data = integerAt(words, at + recordWord.dataOffset);
  if (last * extentWords * 4 > sections.extents.size) throw invalid(`record ${record}: wrong extents`);
  let end = 0;
  let dataSize = 0;
  for (let extent = first; extent < last; extent++) {
    const word = sections.extents.offset / 4 + extent * extentWords;
    const offset = integerAt(words, word);
    const length = integerAt(words, word + 2);
    if (offset < end || length < 0 || offset + length > size)
      throw invalid(`record ${record}: wrong extents`);
    end = offset + length;
    dataSize += length;
  }
  if (data >= 0 && data + dataSize > tarSize)
    throw invalid(`record ${record}: its data lies outside the tar`);
}
