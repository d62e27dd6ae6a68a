/**
 * One header block and its fields: v7, ustar (POSIX.1-1988), star and GNU, told apart by their magic as Go's
 * archive/tar does.
 */
import type { Bytes } from '../bytes.js';
import { blockSize } from './block.js';
import type { Fail } from './fault.js';
import { parseNumber, type Field } from './number.js';

/** Type flags by name, as character codes. */
export const typeflag = {
  oldFile: 0,
  file: 0x30,
  hardlink: 0x31,
  symlink: 0x32,
  char: 0x33,
  block: 0x34,
  directory: 0x35,
  fifo: 0x36,
  contiguous: 0x37,
  gnuLongLink: 0x4b,
  gnuLongName: 0x4c,
  gnuSparse: 0x53,
  paxGlobal: 0x67,
  pax: 0x78,
} as const;

export const field = {
  name: { start: 0, length: 100 },
  mode: { start: 100, length: 8 },
  uid: { start: 108, length: 8 },
  gid: { start: 116, length: 8 },
  size: { start: 124, length: 12 },
  mtime: { start: 136, length: 12 },
  checksum: { start: 148, length: 8 },
  typeflag: { start: 156, length: 1 },
  linkName: { start: 157, length: 100 },
  magic: { start: 257, length: 8 },
  uname: { start: 265, length: 32 },
  gname: { start: 297, length: 32 },
  major: { start: 329, length: 8 },
  minor: { start: 337, length: 8 },
  prefix: { start: 345, length: 155 },
  starPrefix: { start: 345, length: 131 },
  starTrailer: { start: 508, length: 4 },
  gnuAccessTime: { start: 345, length: 12 },
  gnuChangeTime: { start: 357, length: 12 },
} as const satisfies Record<string, Field>;

type NumberField = 'mode' | 'uid' | 'gid' | 'size' | 'mtime' | 'major' | 'minor';

/** The magic in two little-endian words: `usta`, then `r` and two blanks and a NUL, or `r` and a NUL and the version. */
const magic = { usta: 0x61747375, gnu: 0x00202072, ustar: 0x0072 } as const;

export type HeaderFormat = 'v7' | 'ustar' | 'gnu';

/** The fields of a header as they stand: no extended header applied, numbers not yet held against any limit. */
export interface Header {
  readonly typeflag: number;
  readonly format: HeaderFormat;
  /** With its prefix, where the format has one. */
  readonly name: Bytes;
  readonly linkName: Bytes;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds. */
  readonly mtime: number;
  readonly uname: Bytes;
  readonly gname: Bytes;
  readonly major: number;
  readonly minor: number;
}

/**
 * Whether the checksum field is right, given the `sum` of the block. Both kinds are accepted: of unsigned bytes, as the
 * standard has it, and of signed ones, as some old tars computed it.
 */
export function isChecksumRight(block: Buffer, sum: number): boolean {
  const stored = parseNumber(block, field.checksum);
  const { start, length } = field.checksum;
  let unsigned = sum + length * 0x20;
  for (let at = start; at < start + length; at++) unsigned -= block[at] ?? 0;
  return stored === unsigned || stored === unsigned - 256 * countHighBytes(block);
}

/** Bytes above 127: each is 256 less where bytes are signed. The checksum's own are digits. */
function countHighBytes(block: Buffer): number {
  let count = 0;
  for (const byte of block) if (byte > 127) count++;
  return count;
}

/** The number in a field of a header. @throws TAR_INVALID through `fail` where it holds none */
export function numberIn(block: Buffer, name: NumberField, fail: Fail): number {
  const value = parseNumber(block, field[name]);
  return Number.isNaN(value) ? fail(`the ${name} field of its header is no number`) : value;
}

/** The fields of a header whose checksum was found right. */
export function decodeHeader(block: Buffer, fail: Fail): Header {
  const format = formatOf(block);
  const flag = block[field.typeflag.start] ?? 0;
  const isDevice = format !== 'v7' && (flag === typeflag.char || flag === typeflag.block);
  return {
    typeflag: flag,
    format,
    name: nameIn(block, format),
    linkName: textIn(block, field.linkName),
    mode: numberIn(block, 'mode', fail),
    uid: numberIn(block, 'uid', fail),
    gid: numberIn(block, 'gid', fail),
    size: numberIn(block, 'size', fail),
    mtime: numberIn(block, 'mtime', fail),
    uname: format === 'v7' ? empty : textIn(block, field.uname),
    gname: format === 'v7' ? empty : textIn(block, field.gname),
    major: isDevice ? numberIn(block, 'major', fail) : 0,
    minor: isDevice ? numberIn(block, 'minor', fail) : 0,
  };
}

/** The name in a header, with its prefix. */
export function nameIn(block: Buffer, format = formatOf(block)): Bytes {
  const prefix = prefixOf(block, format);
  const name = textIn(block, field.name);
  return prefix === '' ? name : (`${prefix}/${name}` as Bytes);
}

const empty = '' as Bytes;

/** The bytes of a field up to its first NUL. */
function textIn(block: Buffer, { start, length }: Field): Bytes {
  let end = start;
  while (end < start + length && block[end] !== 0) end++;
  return (end === start ? '' : block.toString('latin1', start, end)) as Bytes;
}

function formatOf(block: Buffer): HeaderFormat {
  if (block.readUInt32LE(field.magic.start) !== magic.usta) return 'v7';
  const rest = block.readUInt32LE(field.magic.start + 4);
  if (rest === magic.gnu) return 'gnu';
  // Any version: the magic alone makes the format.
  return (rest & 0xffff) === magic.ustar ? 'ustar' : 'v7';
}

function prefixOf(block: Buffer, format: HeaderFormat): Bytes {
  if (format === 'v7' || block[field.prefix.start] === 0) return empty;
  if (format === 'gnu') return goPrefixOf(block);
  const trailer = block.toString('latin1', field.starTrailer.start, blockSize);
  return textIn(block, trailer === 'tar\0' ? field.starPrefix : field.prefix);
}

/**
 * GNU headers have times where ustar has its prefix. Go before 1.8 wrote a prefix there all the same, for long names
 * together with large uids (golang/go#21005): it is taken for one where the bytes cannot be times.
 */
function goPrefixOf(block: Buffer): Bytes {
  const isTime = (time: Field): boolean => block[time.start] === 0 || !Number.isNaN(parseNumber(block, time));
  if (isTime(field.gnuAccessTime) && isTime(field.gnuChangeTime)) return empty;
  const prefix = textIn(block, field.prefix);
  return /^[\x01-\x7f]*$/.test(prefix) ? prefix : empty;
}
