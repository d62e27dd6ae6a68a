/**
 * What must hold in a layer index so that reading it needs no checks: every number points inside its section, the
 * tree is a tree, names are names and in order. A few passes in tight loops, since a cold command waits for them.
 */
import { validateSparse } from './index-extents.js';
import { invalid, type IndexFile } from './index-file.js';
import {
  allRecordFlags,
  integerAt,
  kinds,
  recordFlags,
  recordWord,
  recordWords,
  typeBits,
  typeShift,
} from './index-format.js';
import { validateLinks } from './index-links.js';
import { xattrSets } from './index-xattrs.js';
import { isLayerPath } from './layer-path.js';

/** @throws LayerfsError INDEX_INVALID */
export function validateIndex(file: IndexFile): void {
  validateTree(file);
  validateNames(file);
  const { sparseFiles, linkedNames } = validateRecords(file);
  validateSparse(file, sparseFiles);
  validateLinks(file, linkedNames);
}

/** Each directory's children follow those of the directory before it, so that every way up ends at the root. */
function validateTree({ words, sections, recordCount }: IndexFile): void {
  const records = sections.records.offset / 4;
  let next = 1;
  for (let record = 0; record < recordCount; record++) {
    const at = records + record * recordWords;
    if (record >= next && record > 0) throw invalid(`record ${record}: not in the tree`);
    if ((words[at + recordWord.packed] ?? 0) >>> typeShift !== typeBits.directory) {
      if (record === 0) throw invalid('the root is no directory');
      continue;
    }
    const end = next + (words[at + recordWord.childCount] ?? 0);
    if (words[at + recordWord.firstChild] !== next) throw invalid(`record ${record}: wrong children`);
    for (; next < end; next++) {
      if (words[records + next * recordWords + recordWord.parent] !== record) {
        throw invalid(`record ${next}: wrong parent`);
      }
    }
  }
  if (next !== recordCount) throw invalid(`record ${next}: not in the tree`);
}

function validateNames({ words, bytes, sections, recordCount }: IndexFile): void {
  const { offset, size } = sections.names;
  const names = bytes.subarray(offset, offset + size);
  if (names.includes(0x2f) || names.includes(0)) throw invalid('a name holds a slash or a zero byte');
  const records = sections.records.offset / 4;
  let previousParent = -1;
  let previous = 0;
  let previousEnd = 0;
  for (let record = 1; record < recordCount; record++) {
    const at = records + record * recordWords;
    const parent = words[at + recordWord.parent] ?? 0;
    const start = words[at + recordWord.nameOffset] ?? 0;
    const length = (words[at + recordWord.packed] ?? 0) & 0xff;
    const end = start + length;
    if (end > size || length === 0 || (length <= 2 && isDots(names, start, end))) {
      throw invalid(`record ${record}: wrong name`);
    }
    if (parent === previousParent) {
      let i = previous;
      let j = start;
      while (i < previousEnd && j < end && names[i] === names[j]) {
        i++;
        j++;
      }
      const ordered = j < end && (i === previousEnd || (names[i] ?? 0) < (names[j] ?? 0));
      if (!ordered) throw invalid(`record ${record}: names are out of order`);
    }
    previousParent = parent;
    previous = start;
    previousEnd = end;
  }
}

function isDots(names: Buffer, start: number, end: number): boolean {
  return names[start] === 0x2e && names[end - 1] === 0x2e;
}

/** The flags that a kind may have, by type bits; -1 where no kind has these. */
const allowedFlags = kinds.map((kind) => {
  if (kind === 'directory') return recordFlags.opaque | recordFlags.implied;
  if (kind === 'file') return recordFlags.sparse;
  if (kind === 'hardlink') return recordFlags.lowerHardlink;
  return kind === undefined ? -1 : 0;
});

/** The upper words of safe integers are below this. */
const highEnd = 2 ** 21;

interface Counts {
  sparseFiles: number;
  linkedNames: number;
}

/** What each kind may hold. Children, names, extents and hardlink groups have passes of their own. */
function validateRecords(file: IndexFile): Counts {
  const { words, bytes, sections, recordCount } = file;
  const { offset, size } = sections.targets;
  if (bytes.subarray(offset, offset + size).includes(0)) throw invalid('a link target holds a zero byte');
  const sets = xattrSets(file);
  const records = sections.records.offset / 4;
  const counts = { sparseFiles: 0, linkedNames: 0 };
  for (let record = 0; record < recordCount; record++) {
    const at = records + record * recordWords;
    const packed = words[at + recordWord.packed] ?? 0;
    const type = packed >>> typeShift;
    const allowed = allowedFlags[type] ?? -1;
    if (allowed < 0 || (packed & allRecordFlags & ~allowed) !== 0) {
      throw invalid(`record ${record}: wrong kind or flags`);
    }
    const seconds = (words[at + recordWord.mtimeSec + 1] ?? 0) | 0;
    if ((words[at + recordWord.mtimeNsec] ?? 0) >= 1e9 || seconds < -highEnd || seconds >= highEnd) {
      throw invalid(`record ${record}: wrong time`);
    }
    const xattrs = words[at + recordWord.xattrs] ?? 0;
    if (xattrs !== 0 && !sets.has(xattrs)) throw invalid(`record ${record}: wrong xattrs`);
    const linked = words[at + recordWord.links] !== 0;
    if (linked) counts.linkedNames++;
    if (type === typeBits.file) {
      validateFile(file, record);
      if ((packed & recordFlags.sparse) !== 0) counts.sparseFiles++;
    } else if (type === typeBits.symlink) {
      validateTarget(file, record);
    } else if (type === typeBits.hardlink) {
      const lower = (packed & recordFlags.lowerHardlink) !== 0;
      if (lower === linked) throw invalid(`record ${record}: wrong hardlink`);
      if (lower) validateLowerTarget(file, record);
    } else if (linked && (type === typeBits.directory || type === typeBits.whiteout)) {
      throw invalid(`record ${record}: wrong hardlink`);
    }
  }
  return counts;
}

function validateFile({ words, sections, tarSize }: IndexFile, record: number): void {
  const at = sections.records.offset / 4 + record * recordWords;
  const size = integerAt(words, at + recordWord.fileSize);
  const data = integerAt(words, at + recordWord.dataOffset);
  if (size < 0 || size > Number.MAX_SAFE_INTEGER || data < -1) throw invalid(`record ${record}: wrong size`);
  const sparse = ((words[at + recordWord.packed] ?? 0) & recordFlags.sparse) !== 0;
  if (data >= 0 && !sparse && data + size > tarSize) {
    throw invalid(`record ${record}: its data lies outside the tar`);
  }
}

function validateTarget({ words, sections }: IndexFile, record: number): void {
  const at = sections.records.offset / 4 + record * recordWords;
  const end = (words[at + recordWord.targetOffset] ?? 0) + (words[at + recordWord.targetLength] ?? 0);
  if (end > sections.targets.size) throw invalid(`record ${record}: wrong link target`);
}

function validateLowerTarget(file: IndexFile, record: number): void {
  validateTarget(file, record);
  const at = file.sections.records.offset / 4 + record * recordWords;
  const start = file.sections.targets.offset + file.word(at + recordWord.targetOffset);
  const target = file.bytes.toString('latin1', start, start + file.word(at + recordWord.targetLength));
  if (target === '' || !isLayerPath(target)) throw invalid(`record ${record}: wrong hardlink`);
}
