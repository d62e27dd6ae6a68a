/**
 * What must hold in a layer index so that reading it needs no checks: every number points inside its section, the
 * tree is a tree, names are names and in order. A few passes in tight loops, since a cold command waits for them.
 */
import {
  allRecordFlags,
  extentWords,
  integerAt,
  kinds,
  recordFlags,
  recordWord,
  recordWords,
  sparseWords,
  typeBits,
  typeShift,
} from './index-format.js';
import { invalid, type IndexFile } from './index-file.js';
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
    if (words[at + recordWord.firstChild] !== next || end > recordCount) {
      throw invalid(`record ${record}: wrong children`);
    }
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
  const xattrSets = readXattrSets(file);
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
    if (xattrs !== 0 && !xattrSets.has(xattrs)) throw invalid(`record ${record}: wrong xattrs`);
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
  if (size < 0 || size > Number.MAX_SAFE_INTEGER || data < -1 || data > Number.MAX_SAFE_INTEGER) {
    throw invalid(`record ${record}: wrong size`);
  }
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

/** The offsets at which sets begin; the section is nothing but sets, the empty one first. */
function readXattrSets({ bytes, sections }: IndexFile): Set<number> {
  const { offset, size } = sections.xattrs;
  const heap = bytes.subarray(offset, offset + size);
  const sets = new Set<number>();
  let at = 0;
  const take = (count: number): number => {
    const from = at;
    at += count;
    if (at > size) throw invalid('the xattrs are cut short');
    return from;
  };
  do {
    sets.add(at);
    const count = heap.readUInt32LE(take(4));
    if (at === 4 && count !== 0) throw invalid('the empty set of xattrs is missing');
    for (let i = 0; i < count; i++) {
      const lengths = take(8);
      take(heap.readUInt32LE(lengths) + heap.readUInt32LE(lengths + 4));
    }
  } while (at < size);
  return sets;
}

/** The table names each sparse file once, in order, and no other record. */
function validateSparse(file: IndexFile, sparseFiles: number): void {
  const { words, sections, recordCount } = file;
  const table = sections.sparse.offset / 4;
  if (sections.sparse.size !== sparseFiles * sparseWords * 4)
    throw invalid('the table of sparse files is wrong');
  let previous = -1;
  for (let i = 0; i < sparseFiles; i++) {
    const record = words[table + i * sparseWords] ?? 0;
    const at = sections.records.offset / 4 + record * recordWords;
    const sparse = ((words[at + recordWord.packed] ?? 0) & recordFlags.sparse) !== 0;
    if (record <= previous || record >= recordCount || !sparse) {
      throw invalid('the table of sparse files is wrong');
    }
    previous = record;
    const first = words[table + i * sparseWords + 1] ?? 0;
    const count = words[table + i * sparseWords + 2] ?? 0;
    validateExtents(file, record, first, count);
  }
}

/** In order, apart, inside the file; their data inside the tar. */
function validateExtents(file: IndexFile, record: number, first: number, count: number): void {
  const { words, sections, tarSize } = file;
  const at = sections.records.offset / 4 + record * recordWords;
  const size = integerAt(words, at + recordWord.fileSize);
  const data = integerAt(words, at + recordWord.dataOffset);
  if ((first + count) * extentWords * 4 > sections.extents.size)
    throw invalid(`record ${record}: wrong extents`);
  let end = 0;
  let dataSize = 0;
  for (let extent = first; extent < first + count; extent++) {
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

/** Every name that claims a group is in that group once, and the other way round. */
function validateLinks({ words, sections, recordCount }: IndexFile, linkedNames: number): void {
  const records = sections.records.offset / 4;
  const links = sections.links.offset / 4;
  const count = sections.links.size / 4;
  const wrong = 'the hardlink groups are wrong';
  if (count < 1 || !Number.isInteger(count) || words[links] !== 0) throw invalid(wrong);
  let members = 0;
  for (let group = 1; group < count;) {
    const size = words[links + group] ?? 0;
    if (size < 2 || group + size >= count) throw invalid(wrong);
    const holder = words[links + group + 1] ?? 0;
    for (let i = 1; i <= size; i++) {
      const record = words[links + group + i] ?? 0;
      const at = records + record * recordWords;
      const hardlink = (words[at + recordWord.packed] ?? 0) >>> typeShift === typeBits.hardlink;
      if (
        record >= recordCount ||
        words[at + recordWord.links] !== group ||
        hardlink !== i > 1 ||
        (hardlink && words[at + recordWord.inode] !== holder) ||
        (i > 2 && record <= (words[links + group + i - 1] ?? 0))
      ) {
        throw invalid(wrong);
      }
    }
    members += size;
    group += size + 1;
  }
  if (members !== linkedNames) throw invalid(wrong);
}
