/**
 * The layer index file, version 1: what lies where. docs/format-index.md specifies it; index-encode.ts writes it,
 * index-file.ts and index-validate.ts check it, layer-index.ts reads it.
 *
 * All numbers are little-endian, as are the machines layerfs runs on, so that the file is read in place as u32 words.
 */
import { LayerfsError } from '../errors.js';
import type { NodeKind } from './node.js';

export const magic = 'LFSINDEX';
export const version = 1;

/** Heap offsets and Node's readFile end at 2 GiB. */
export const maximumSize = 2 ** 31 - 1;

/** @throws LayerfsError LIMIT_EXCEEDED */
export function checkIndexSize(size: number): void {
  if (size <= maximumSize) return;
  throw new LayerfsError('LIMIT_EXCEEDED', `the layer's index would be larger than ${maximumSize} bytes`, {
    detail: { limit: maximumSize },
  });
}

/** Sections, and the file, end on a multiple of this. */
export const alignment = 8;

/** Words of the header; those of two words are 64-bit numbers. */
export const headerWord = {
  magic: 0,
  version: 2,
  flags: 3,
  fileSize: 4,
  tarSize: 6,
  recordCount: 8,
  sectionCount: 9,
  sections: 10,
} as const;

export const headerFlags = { rootImplied: 1, impliedDirectories: 2, lowerHardlinks: 4 } as const;
export const knownHeaderFlags = 7;

/** In the order of the section table, each there with its offset and size in bytes. A reader ignores further sections. */
export const sectionNames = ['records', 'names', 'targets', 'xattrs', 'links', 'sparse', 'extents'] as const;
export type SectionName = (typeof sectionNames)[number];

export const sectionWords = 2;
export const checksumSize = 8;

/** Words of one record. */
export const recordWords = 16;

/** Words of a record; from 10 on they hold what the kind needs. Those of two words are 64-bit numbers. */
export const recordWord = {
  parent: 0,
  nameOffset: 1,
  /** Bits 0-7 length of the name, 8-15 flags, 16-31 type and permissions as in st_mode. */
  packed: 2,
  uid: 3,
  gid: 4,
  mtimeNsec: 5,
  mtimeSec: 6,
  xattrs: 8,
  links: 9,

  fileSize: 10,
  dataOffset: 12,
  contentHash: 14,

  firstChild: 10,
  childCount: 11,

  targetOffset: 10,
  targetLength: 11,

  major: 10,
  minor: 11,

  inode: 10,
} as const;

/** As they are in the word `packed`. */
export const recordFlags = { opaque: 0x100, implied: 0x200, sparse: 0x400, lowerHardlink: 0x800 } as const;
export const allRecordFlags = 0xff00;

/** The type bits of st_mode shifted down; a whiteout is BSD's S_IFWHT, a hardlink has no type of its own. */
export const typeBits = {
  hardlink: 0x0,
  fifo: 0x1,
  char: 0x2,
  directory: 0x4,
  block: 0x6,
  file: 0x8,
  symlink: 0xa,
  whiteout: 0xe,
} as const satisfies Readonly<Record<NodeKind, number>>;

/** The type bits in the word `packed`. */
export const typeShift = 28;

/** Indexed by the type bits. */
export const kinds: readonly (NodeKind | undefined)[] = Array.from({ length: 16 }, (_, bits) =>
  (Object.keys(typeBits) as NodeKind[]).find((kind) => typeBits[kind] === bits),
);

/** The 64-bit number, a safe integer, at two words; -1 is one. */
export function integerAt(words: Uint32Array, at: number): number {
  return ((words[at + 1] ?? 0) | 0) * 2 ** 32 + (words[at] ?? 0);
}

export function setInteger(words: Uint32Array, at: number, value: number): void {
  words[at] = value;
  words[at + 1] = Math.floor(value / 2 ** 32);
}
