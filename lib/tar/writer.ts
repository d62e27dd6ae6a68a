/**
 * Writes tar members: ustar headers, and PAX records for what ustar cannot hold. The bytes depend on the member alone:
 * numeric owners, no access or change times, records sorted, one name for all PAX headers.
 */
import { bytesOf, display, type Bytes } from '../bytes.js';
import { LayerfsError } from '../errors.js';
import { limits } from '../limits.js';
import { Block, blockSize, padded } from './block.js';
import { field, typeflag } from './header.js';
import type { TarType } from './member.js';
import { writeOctal, type Field } from './number.js';
import { encodeRecord } from './pax-record.js';
import { formatTime, wholeSeconds } from './time.js';
import { encodeName, schilyPrefix } from './xattrs.js';

/** A member to be written. Every TarMember is one. */
export interface TarMemberInput {
  readonly type: TarType;
  /** A directory's ends with a slash by custom. */
  readonly path: Bytes;
  /** Target of a symlink or hardlink. */
  readonly linkPath?: Bytes;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a file: how many bytes of data follow. */
  readonly size?: number;
  /** Nanoseconds since the epoch. */
  readonly mtime: bigint;
  readonly major?: number;
  readonly minor?: number;
  readonly xattrs?: ReadonlyMap<Bytes, Buffer>;
}

const typeflags: Readonly<Record<TarType, number>> = {
  file: typeflag.file,
  hardlink: typeflag.hardlink,
  symlink: typeflag.symlink,
  char: typeflag.char,
  block: typeflag.block,
  directory: typeflag.directory,
  fifo: typeflag.fifo,
};

/** What octal digits and a NUL hold in 8 and in 12 bytes. */
const maximumOf8 = 0o7777777;
const maximumOf12 = 0o77777777777;

const empty = '' as Bytes;

/**
 * The header of a member, with a PAX header before it where it needs one. The caller writes it, then `size` bytes of
 * data, then `paddingOf(size)`. Law: a TarReader gives the same member back.
 *
 * @throws LayerfsError ENTRY_INVALID for a NUL in a name, LIMIT_EXCEEDED where names and xattrs exceed what readers accept
 */
export function encodeMember(member: TarMemberInput): Buffer {
  const { path, linkPath = empty, uid, gid, mtime } = member;
  const size = member.type === 'file' ? (member.size ?? 0) : 0;
  const split = splitPath(path);
  const seconds = wholeSeconds(mtime, maximumOf12);
  const records: [Bytes, Bytes][] = [];
  const record = (keyword: string, value: string): void => {
    records.push([keyword as Bytes, value as Bytes]);
  };
  if (split < 0) record('path', withoutNul(path));
  if (linkPath.length > field.linkName.length || !isPlain(linkPath)) record('linkpath', withoutNul(linkPath));
  if (uid > maximumOf8) record('uid', String(uid));
  if (gid > maximumOf8) record('gid', String(gid));
  if (size > maximumOf12) record('size', String(size));
  if (seconds === null) record('mtime', formatTime(mtime));
  if (member.xattrs !== undefined) {
    for (const [name, value] of member.xattrs) record(schilyPrefix + encodeName(name), bytesOf(value));
  }

  const payload = records.length === 0 ? empty : encodeRecords(records);
  const headersSize = payload === '' ? blockSize : 2 * blockSize + padded(payload.length);
  const headers = payload === '' ? Buffer.allocUnsafe(headersSize) : Buffer.alloc(headersSize);
  if (payload !== '') {
    beginHeader(typeflag.pax, 'PaxHeaders/member' as Bytes, 0o644);
    writeNumber(payload.length, field.size);
    finishHeader(headers, 0);
    headers.write(payload, blockSize, 'latin1');
  }

  const name = split > 0 ? path.slice(split + 1) : path;
  beginHeader(typeflags[member.type], name as Bytes, member.mode & 0o7777);
  if (split > 0) writeText(path.slice(0, split) as Bytes, field.prefix);
  if (linkPath !== '') writeText(linkPath, field.linkName);
  if (uid <= maximumOf8) writeNumber(uid, field.uid);
  if (gid <= maximumOf8) writeNumber(gid, field.gid);
  if (size <= maximumOf12) writeNumber(size, field.size);
  if (seconds !== null) writeNumber(seconds, field.mtime);
  if (member.major !== undefined) writeNumber(member.major, field.major);
  if (member.minor !== undefined) writeNumber(member.minor, field.minor);
  finishHeader(headers, headersSize - blockSize);
  return headers;
}

/** The zeros after `size` bytes of data. They are shared: not to be written to. */
export function paddingOf(size: number): Buffer {
  return zeros.subarray(0, padded(size) - size);
}

/** The two blocks of zeros at the end of an archive. They are shared: not to be written to. */
export function endOfArchive(): Buffer {
  return zeros;
}

const zeros = Buffer.alloc(2 * blockSize);

/** The header being written, and what every header has: the magic, and zeros in digits. */
const scratch = new Block();
const template = Buffer.alloc(blockSize);
template.write('ustar\x0000', field.magic.start, 'latin1');
for (const { start, length } of [
  field.mode,
  field.uid,
  field.gid,
  field.size,
  field.mtime,
  field.major,
  field.minor,
]) {
  template.fill('0', start, start + length - 1);
}
template.fill(' ', field.checksum.start, field.checksum.start + field.checksum.length);

function beginHeader(flag: number, name: Bytes, mode: number): void {
  scratch.bytes.set(template);
  scratch.bytes[field.typeflag.start] = flag;
  writeText(name, field.name);
  writeNumber(mode, field.mode);
}

function finishHeader(target: Buffer, start: number): void {
  const sum = scratch.sum();
  writeOctal(scratch.bytes, sum, field.checksum.start, 6);
  scratch.bytes[field.checksum.start + 6] = 0;
  target.set(scratch.bytes, start);
}

function writeText(value: Bytes, { start, length }: Field): void {
  scratch.bytes.write(value, start, length, 'latin1');
}

/** Digits to the last byte but one; the template has the NUL. */
function writeNumber(value: number, { start, length }: Field): void {
  if (value !== 0) writeOctal(scratch.bytes, value, start, length - 1);
}

/** ASCII without NUL: what every reader takes from a header as it is. */
function isPlain(value: Bytes): boolean {
  return /^[\x01-\x7f]*$/.test(value);
}

function withoutNul(name: Bytes): Bytes {
  if (!name.includes('\0')) return name;
  throw new LayerfsError('ENTRY_INVALID', `a tar cannot hold a name with a NUL: ${display(name)}`);
}

/**
 * Where ustar's prefix ends, 0 where the path needs none, -1 where ustar cannot hold it: the prefix, a slash and the
 * name must be the path.
 */
function splitPath(path: Bytes): number {
  if (!isPlain(path)) return -1;
  if (path.length <= field.name.length) return 0;
  // The slash that ends a directory's path cannot split it: no name would be left.
  const slash = path.lastIndexOf('/', Math.min(field.prefix.length, path.length - 2));
  return slash > 0 && path.length - slash - 1 <= field.name.length ? slash : -1;
}

function encodeRecords(records: [Bytes, Bytes][]): Bytes {
  if (records.length > 1) records.sort(([a], [b]) => (a < b ? -1 : 1));
  let payload = '';
  for (const [keyword, value] of records) payload += encodeRecord(keyword, value);
  if (payload.length > limits.paxHeaderSize) {
    throw new LayerfsError(
      'LIMIT_EXCEEDED',
      `the names and xattrs of a member take ${payload.length} bytes, more than ${limits.paxHeaderSize}`,
    );
  }
  return payload as Bytes;
}
