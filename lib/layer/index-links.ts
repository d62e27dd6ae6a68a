/**
 * Section `links` of a layer index: groups of names that share an inode, in words. A group is the count of its names,
 * the record that describes the inode, and the other records, ascending. Word 0 is an empty group, so that 0 can stand
 * for "no other name".
 */
import { invalid, type IndexFile } from './index-file.js';
import { recordWord, recordWords, typeBits, typeShift } from './index-format.js';

/** The section while it is written. */
export class LinkHeap {
  readonly #words: number[] = [0];

  /** The word at which the group begins. */
  add(records: readonly number[]): number {
    const word = this.#words.length;
    this.#words.push(records.length);
    for (const record of records) this.#words.push(record);
    return word;
  }

  toBuffer(): Buffer {
    return Buffer.from(Uint32Array.from(this.#words).buffer);
  }
}

/** How many names the group at a word has. */
export function linkCountAt(file: IndexFile, group: number): number {
  return file.word(file.sections.links.offset / 4 + group);
}

/** The records of the group at a word. */
export function linksAt(file: IndexFile, group: number): number[] {
  const first = file.sections.links.offset / 4 + group + 1;
  return Array.from({ length: linkCountAt(file, group) }, (_, i) => file.word(first + i));
}

/**
 * Every record that names a group is in that group once, and the other way round; `count` is how many do.
 * @throws LayerfsError INDEX_INVALID
 */
export function validateLinks(file: IndexFile, count: number): void {
  const { sections, recordCount } = file;
  const records = sections.records.offset / 4;
  const words = sections.links.size / 4;
  const wrong = 'the hardlink groups are wrong';
  let members = 0;
  for (let group = 1; group < words;) {
    const size = linkCountAt(file, group);
    if (size < 2 || group + size >= words) throw invalid(wrong);
    const names = linksAt(file, group);
    names.forEach((record, i) => {
      const at = records + record * recordWords;
      const hardlink = file.word(at + recordWord.packed) >>> typeShift === typeBits.hardlink;
      if (
        record >= recordCount ||
        file.word(at + recordWord.links) !== group ||
        hardlink !== i > 0 ||
        (hardlink && file.word(at + recordWord.inode) !== names[0]) ||
        (i > 1 && record <= (names[i - 1] ?? 0))
      ) {
        throw invalid(wrong);
      }
    });
    members += size;
    group += size + 1;
  }
  if (members !== count) throw invalid(wrong);
}
