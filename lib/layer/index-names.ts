/** Names of a layer index without making strings of them: comparing, finding, joining. */
import type { Bytes, LayerPath } from '../bytes.js';
import { limits } from '../limits.js';
import type { IndexFile } from './index-file.js';
import { recordWord, recordWords } from './index-format.js';

const slash = 0x2f;

/** Grows when a path needs it. */
let pathBuffer = Buffer.alloc(limits.pathLength);

/** A path is put together from its last name up: one string for all of it, where joining makes one for each name. */
export function pathOfRecord({ words, bytes, sections }: IndexFile, record: number): LayerPath {
  const records = sections.records.offset / 4;
  let length = -1;
  for (let i = record; i !== 0;) {
    const at = records + i * recordWords;
    length += 1 + ((words[at + recordWord.packed] ?? 0) & 0xff);
    i = words[at + recordWord.parent] ?? 0;
  }
  if (length > pathBuffer.length) pathBuffer = Buffer.alloc(2 * length);
  let end = length;
  for (let i = record; i !== 0;) {
    const at = records + i * recordWords;
    const nameLength = (words[at + recordWord.packed] ?? 0) & 0xff;
    const name = sections.names.offset + (words[at + recordWord.nameOffset] ?? 0);
    end -= nameLength;
    for (let k = 0; k < nameLength; k++) pathBuffer[end + k] = bytes[name + k] ?? 0;
    if (end > 0) pathBuffer[--end] = slash;
    i = words[at + recordWord.parent] ?? 0;
  }
  return pathBuffer.toString('latin1', 0, Math.max(0, length)) as LayerPath;
}

/** The record from `first` to before `last` whose name is `text` from `start` to before `end`; -1 where there is none. */
export function findName(
  file: IndexFile,
  first: number,
  last: number,
  text: Bytes,
  start: number,
  end: number,
): number {
  let low = first;
  let high = last;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compareName(file, middle, text, start, end);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return -1;
}

function compareName(
  { words, bytes, sections }: IndexFile,
  record: number,
  text: Bytes,
  start: number,
  end: number,
): number {
  const at = sections.records.offset / 4 + record * recordWords;
  const name = sections.names.offset + (words[at + recordWord.nameOffset] ?? 0);
  const length = (words[at + recordWord.packed] ?? 0) & 0xff;
  const shared = Math.min(length, end - start);
  for (let i = 0; i < shared; i++) {
    const difference = (bytes[name + i] ?? 0) - text.charCodeAt(start + i);
    if (difference !== 0) return difference;
  }
  return length - (end - start);
}
