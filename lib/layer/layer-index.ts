/** The index of one layer, read in place: nothing is decoded before it is asked for. */
import { readFile } from 'node:fs/promises';
import type { Bytes, HostPath, LayerPath } from '../bytes.js';
import { codeOf, wrapError } from '../errors.js';
import type { Extent, Meta } from './entry.js';
import { extentsOf } from './index-extents.js';
import { IndexFile, invalid } from './index-file.js';
import {
  headerFlags,
  integerAt,
  kinds,
  recordFlags,
  recordWord,
  recordWords,
  typeShift,
} from './index-format.js';
import { linkCountAt, linksAt } from './index-links.js';
import { findName, pathOfRecord } from './index-names.js';
import { validateIndex } from './index-validate.js';
import { xattrsAt } from './index-xattrs.js';
import type { NodeKind } from './node.js';

/** What of a layer's meaning depends on the layers below it. */
export interface LayerContext {
  /** The layer says nothing about the root directory itself. */
  readonly rootImplied: boolean;
  /** Other directories without an entry of their own. */
  readonly impliedDirectories: boolean;
  /** Hardlinks to files of layers below. */
  readonly lowerHardlinks: boolean;
}

const noXattrs: Meta['xattrs'] = new Map();

/**
 * A layer as numbered records. Record 0 is the root; the children of a directory are consecutive and sorted by the
 * bytes of their names, so that a record's number is also a steady cookie for listings. Immutable.
 *
 * Record numbers come from this object (`lookup`, `child`, `walk`, …); others are a programmer's mistake.
 * Attributes of a hardlink are its inode's: ask `inode(record)` first.
 */
export class LayerIndex {
  readonly #file: IndexFile;
  readonly #bytes: Buffer;
  readonly #words: Uint32Array;
  /** The first word of the records. */
  readonly #records: number;
  /** The first byte of the names. */
  readonly #names: number;
  readonly #xattrSets = new Map<number, Meta['xattrs']>();

  readonly context: LayerContext;

  private constructor(file: IndexFile) {
    this.#file = file;
    this.#bytes = file.bytes;
    this.#words = file.words;
    this.#records = file.sections.records.offset / 4;
    this.#names = file.sections.names.offset;
    this.context = {
      rootImplied: (file.flags & headerFlags.rootImplied) !== 0,
      impliedDirectories: (file.flags & headerFlags.impliedDirectories) !== 0,
      lowerHardlinks: (file.flags & headerFlags.lowerHardlinks) !== 0,
    };
  }

  /**
   * The index in `buffer`, which must not change afterwards. All of it is checked here, so that no later call fails.
   * @throws LayerfsError INDEX_INVALID
   */
  static async decode(buffer: Buffer): Promise<LayerIndex> {
    const file = await IndexFile.open(buffer);
    validateIndex(file);
    return new LayerIndex(file);
  }

  /** @throws LayerfsError INDEX_INVALID, FILESYSTEM, PERMISSION */
  static async read(path: HostPath): Promise<LayerIndex> {
    let buffer: Buffer;
    try {
      buffer = await readFile(path);
    } catch (error) {
      if (codeOf(error) === 'ERR_FS_FILE_TOO_LARGE') throw invalid('it is larger than any');
      throw wrapError(error, 'read layer index', { path });
    }
    return LayerIndex.decode(buffer);
  }

  /** How many records there are, the root included. */
  get count(): number {
    return this.#file.recordCount;
  }

  /** How many bytes of memory the index takes, which is the length of its file. */
  get byteLength(): number {
    return this.#bytes.length;
  }

  /** Length of the uncompressed tar in bytes; -1 for a layer that has none. */
  get tarSize(): number {
    return this.#file.tarSize;
  }

  /** Whether the layer means different things on different stacks: then it is stored per chainID. */
  get dependsOnLower(): boolean {
    return this.context.impliedDirectories || this.context.lowerHardlinks;
  }

  kind(record: number): NodeKind {
    const kind = kinds[this.#packed(record) >>> typeShift];
    if (kind === undefined) throw invalid(`record ${record}: unknown kind`);
    return kind;
  }

  name(record: number): Bytes {
    const start = this.#names + this.#word(record, recordWord.nameOffset);
    return this.#slice(start, this.#packed(record) & 0xff);
  }

  path(record: number): LayerPath {
    return pathOfRecord(this.#file, record);
  }

  /** The directory that holds the record; the root's is itself. */
  parent(record: number): number {
    return this.#word(record, recordWord.parent);
  }

  /** Permission bits, 0 to 0o7777. */
  mode(record: number): number {
    return (this.#packed(record) >>> 16) & 0o7777;
  }

  uid(record: number): number {
    return this.#word(record, recordWord.uid);
  }

  gid(record: number): number {
    return this.#word(record, recordWord.gid);
  }

  /** Whole seconds since the epoch, rounded down. */
  mtimeSec(record: number): number {
    return this.#integer(record, recordWord.mtimeSec);
  }

  /** Nanoseconds after `mtimeSec`: 0 to 999,999,999. */
  mtimeNsec(record: number): number {
    return this.#word(record, recordWord.mtimeNsec);
  }

  /** Equal sets are one and the same Map. */
  xattrs(record: number): Meta['xattrs'] {
    const offset = this.#word(record, recordWord.xattrs);
    if (offset === 0) return noXattrs;
    let xattrs = this.#xattrSets.get(offset);
    if (xattrs === undefined) {
      xattrs = xattrsAt(this.#file, offset);
      this.#xattrSets.set(offset, xattrs);
    }
    return xattrs;
  }

  meta(record: number): Meta {
    return {
      mode: this.mode(record),
      uid: this.uid(record),
      gid: this.gid(record),
      mtime: BigInt(this.mtimeSec(record)) * 1_000_000_000n + BigInt(this.mtimeNsec(record)),
      xattrs: this.xattrs(record),
    };
  }

  /** Of a file, in bytes, holes included; 0 for anything else. */
  size(record: number): number {
    return this.#isFile(record) ? this.#integer(record, recordWord.fileSize) : 0;
  }

  /** Of a file: xxh64 (seed 0) of its data, which for a sparse file is its extents one after another; 0 for anything else. */
  contentHash(record: number): bigint {
    return this.#isFile(record)
      ? this.#bytes.readBigUInt64LE((this.#at(record) + recordWord.contentHash) * 4)
      : 0n;
  }

  /**
   * Of a file: where its data begins in the uncompressed tar; -1 where it is not there. The data of a sparse file is
   * its extents, one after another.
   */
  dataOffset(record: number): number {
    return this.#isFile(record) ? this.#integer(record, recordWord.dataOffset) : -1;
  }

  /** The runs of data of a sparse file; null where the whole file is data. */
  extents(record: number): readonly Extent[] | null {
    return (this.#packed(record) & recordFlags.sparse) === 0 ? null : extentsOf(this.#file, record);
  }

  /** Of a symlink; empty for anything else. */
  target(record: number): Bytes {
    return this.kind(record) === 'symlink' ? this.#target(record) : ('' as Bytes);
  }

  /** Of a device; 0 for anything else. */
  major(record: number): number {
    return this.#isDevice(record) ? this.#word(record, recordWord.major) : 0;
  }

  /** Of a device; 0 for anything else. */
  minor(record: number): number {
    return this.#isDevice(record) ? this.#word(record, recordWord.minor) : 0;
  }

  /** Whether the directory hides what the layers below have in it. */
  opaque(record: number): boolean {
    return (this.#packed(record) & recordFlags.opaque) !== 0;
  }

  /** Whether the directory has no entry of its own; its attributes are then the layer below's, or the defaults it shows. */
  implied(record: number): boolean {
    return (this.#packed(record) & recordFlags.implied) !== 0;
  }

  /** The record that a hardlink inside the layer shares its inode with; -1 for anything else. */
  linkTarget(record: number): number {
    if (this.kind(record) !== 'hardlink' || this.#isLowerHardlink(record)) return -1;
    return this.#word(record, recordWord.inode);
  }

  /** The path in the layers below that a hardlink names; null for anything else. */
  lowerTarget(record: number): LayerPath | null {
    return this.#isLowerHardlink(record) ? (this.#target(record) as LayerPath) : null;
  }

  /** The record that describes the inode: a hardlink's target, else the record itself. */
  inode(record: number): number {
    const target = this.linkTarget(record);
    return target < 0 ? record : target;
  }

  /** How many names of the layer share the record's inode. */
  linkCount(record: number): number {
    const group = this.#word(record, recordWord.links);
    return group === 0 ? 1 : linkCountAt(this.#file, group);
  }

  /** The records that share the inode, the one that describes it first. */
  names(record: number): number[] {
    const group = this.#word(record, recordWord.links);
    return group === 0 ? [record] : linksAt(this.#file, group);
  }

  /** Of a directory: its children are `childCount` records from here on. */
  firstChild(directory: number): number {
    return this.#word(directory, recordWord.firstChild);
  }

  /** 0 for anything but a directory. */
  childCount(directory: number): number {
    return this.kind(directory) === 'directory' ? this.#word(directory, recordWord.childCount) : 0;
  }

  /** The record of that name in a directory; -1 where there is none. */
  child(directory: number, name: Bytes): number {
    return this.#find(directory, name, 0, name.length);
  }

  /** The record at exactly that path, no link followed; -1 where there is none. */
  lookup(path: LayerPath): number {
    if (path === '') return 0;
    let record = 0;
    for (let start = 0; start <= path.length && record >= 0;) {
      const slash = path.indexOf('/', start);
      const end = slash < 0 ? path.length : slash;
      record = this.#find(record, path, start, end);
      start = end + 1;
    }
    return record;
  }

  /** Every record, depth first: a directory before its children, names by their bytes. */
  *walk(): Generator<number, void> {
    const pending = [{ next: 0, end: 1 }];
    for (let level = pending.at(-1); level !== undefined; level = pending.at(-1)) {
      if (level.next === level.end) {
        pending.pop();
        continue;
      }
      const record = level.next++;
      yield record;
      const count = this.childCount(record);
      if (count > 0) pending.push({ next: this.firstChild(record), end: this.firstChild(record) + count });
    }
  }

  /** The first word of a record. */
  #at(record: number): number {
    return this.#records + record * recordWords;
  }

  /** `?? 0` serves the compiler: decode has checked that all is there. */
  #word(record: number, word: number): number {
    return this.#words[this.#records + record * recordWords + word] ?? 0;
  }

  #integer(record: number, word: number): number {
    return integerAt(this.#words, this.#at(record) + word);
  }

  #packed(record: number): number {
    return this.#word(record, recordWord.packed);
  }

  #isFile(record: number): boolean {
    return this.kind(record) === 'file';
  }

  #isDevice(record: number): boolean {
    const kind = this.kind(record);
    return kind === 'char' || kind === 'block';
  }

  #isLowerHardlink(record: number): boolean {
    return (this.#packed(record) & recordFlags.lowerHardlink) !== 0;
  }

  #slice(start: number, length: number): Bytes {
    return this.#bytes.toString('latin1', start, start + length) as Bytes;
  }

  #target(record: number): Bytes {
    const start = this.#file.sections.targets.offset + this.#word(record, recordWord.targetOffset);
    return this.#slice(start, this.#word(record, recordWord.targetLength));
  }

  #find(directory: number, text: Bytes, start: number, end: number): number {
    const first = this.#word(directory, recordWord.firstChild);
    return findName(this.#file, first, first + this.childCount(directory), text, start, end);
  }
}
