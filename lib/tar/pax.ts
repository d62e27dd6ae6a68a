/** What PAX extended headers say about members. */
import type { Bytes } from '../bytes.js';
import { shown, type Fail } from './fault.js';
import type { TarWarningCode } from './member.js';
import { parseDecimal } from './number.js';
import { forEachRecord } from './pax-record.js';
import { SparseRecords } from './sparse-records.js';
import { parseTime } from './time.js';
import { libarchivePrefix, schilyPrefix, XattrRecords } from './xattrs.js';

/** What one `x` header says about the member after it: null where it says nothing. */
export interface PaxHeader {
  path: Bytes | null;
  linkPath: Bytes | null;
  uname: Bytes | null;
  gname: Bytes | null;
  size: number | null;
  uid: number | null;
  gid: number | null;
  major: number | null;
  minor: number | null;
  mtime: bigint | null;
  xattrs: XattrRecords | null;
  sparse: SparseRecords | null;
  /** Keywords of records that would change the member, but are not carried over. */
  readonly dropped: Map<Bytes, TarWarningCode>;
}

/** Attributes that no entry has a place for. Unlike comments, access times and inode numbers, they would be missed. */
const droppedKeywords: ReadonlyMap<string, TarWarningCode> = new Map([
  ['SCHILY.acl.access', 'acl'],
  ['SCHILY.acl.default', 'acl'],
  ['SCHILY.acl.ace', 'acl'],
  ['RHT.security.selinux', 'selinux'],
  ['SCHILY.fflags', 'file-flags'],
]);

/**
 * Reads an `x` header. Of two records with one keyword the later counts; one with an empty value takes back what an
 * earlier one said (an xattr may be empty); unknown keywords mean nothing. A NUL is allowed in values of xattrs only.
 */
export function parsePax(payload: Buffer, fail: Fail): PaxHeader {
  const header: PaxHeader = {
    path: null,
    linkPath: null,
    uname: null,
    gname: null,
    size: null,
    uid: null,
    gid: null,
    major: null,
    minor: null,
    mtime: null,
    xattrs: null,
    sparse: null,
    dropped: new Map(),
  };
  forEachRecord(payload, (keyword, start, end) => apply(header, keyword, payload, start, end, fail), fail);
  return header;
}

/** The keywords of a `g` header that would change members, for a message; `''` where there are none. */
export function parsePaxGlobal(payload: Buffer, fail: Fail): Bytes {
  const keywords = new Set<Bytes>();
  const collect = (keyword: Bytes): void => {
    if (keyword !== 'comment') keywords.add(keyword);
  };
  forEachRecord(payload, collect, fail);
  return [...keywords].join(', ') as Bytes;
}

function apply(
  header: PaxHeader,
  keyword: Bytes,
  payload: Buffer,
  start: number,
  end: number,
  fail: Fail,
): void {
  if (keyword.startsWith(schilyPrefix)) {
    header.xattrs ??= new XattrRecords();
    header.xattrs.addSchily(keyword.slice(schilyPrefix.length) as Bytes, payload.subarray(start, end), fail);
    return;
  }
  switch (keyword as string) {
    case 'path':
      header.path = textOrNull(payload, start, end, keyword, fail);
      break;
    case 'linkpath':
      header.linkPath = textOrNull(payload, start, end, keyword, fail);
      break;
    case 'uname':
      header.uname = textOrNull(payload, start, end, keyword, fail);
      break;
    case 'gname':
      header.gname = textOrNull(payload, start, end, keyword, fail);
      break;
    case 'size':
      header.size = integerOrNull(payload, start, end, keyword, fail);
      break;
    case 'uid':
      header.uid = integerOrNull(payload, start, end, keyword, fail);
      break;
    case 'gid':
      header.gid = integerOrNull(payload, start, end, keyword, fail);
      break;
    case 'SCHILY.devmajor':
      header.major = integerOrNull(payload, start, end, keyword, fail);
      break;
    case 'SCHILY.devminor':
      header.minor = integerOrNull(payload, start, end, keyword, fail);
      break;
    case 'mtime':
      header.mtime =
        start === end ? null : (parseTime(payload, start, end) ?? fail('its PAX mtime is no time'));
      break;
    default:
      applyOther(header, keyword, text(payload, start, end, keyword, fail), fail);
  }
}

function applyOther(header: PaxHeader, keyword: Bytes, value: Bytes, fail: Fail): void {
  const code = droppedKeywords.get(keyword);
  if (code !== undefined) {
    header.dropped.set(keyword, code);
  } else if (keyword.startsWith(libarchivePrefix)) {
    header.xattrs ??= new XattrRecords();
    header.xattrs.addLibarchive(keyword.slice(libarchivePrefix.length) as Bytes, value, fail);
  } else if (keyword.startsWith('GNU.sparse.')) {
    header.sparse ??= new SparseRecords();
    header.sparse.add(keyword, value, fail);
  }
}

function text(payload: Buffer, start: number, end: number, keyword: Bytes, fail: Fail): Bytes {
  const value = payload.toString('latin1', start, end) as Bytes;
  if (value.includes('\0')) fail(`its PAX record ${shown(keyword)} has a NUL`);
  return value;
}

function textOrNull(payload: Buffer, start: number, end: number, keyword: Bytes, fail: Fail): Bytes | null {
  return start === end ? null : text(payload, start, end, keyword, fail);
}

/** A minus is let through: that the number is negative is said where its range is known. */
function integerOrNull(
  payload: Buffer,
  start: number,
  end: number,
  keyword: Bytes,
  fail: Fail,
): number | null {
  if (start === end) return null;
  const negative = payload[start] === 0x2d;
  const value = parseDecimal(payload, negative ? start + 1 : start, end);
  if (Number.isNaN(value)) fail(`its PAX record ${shown(keyword)} is no number`);
  return negative ? -value : value;
}
