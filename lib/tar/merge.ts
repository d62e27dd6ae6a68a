/** A header and the extended headers before it, joined to one member. */
import type { Bytes } from '../bytes.js';
import { limits } from '../limits.js';
import type { Extensions } from './extensions.js';
import { shown, type Fail, type Warn } from './fault.js';
import { typeflag, type Header } from './header.js';
import type { TarMember, TarType } from './member.js';
import { isClamped, timeOfSeconds } from './time.js';
import { noXattrs } from './xattrs.js';

/** The name of the member: that of a sparse file, else GNU's, else PAX', else the header's, as in Go's archive/tar. */
export function pathOf(header: Header, { pax, longName }: Extensions): Bytes {
  return pax?.sparse?.name ?? longName ?? pax?.path ?? header.name;
}

/**
 * The member that a header and its extensions describe. Sizes are as stored: what that means for sparse files and for
 * members without contents is the reader's business.
 *
 * @throws TAR_INVALID, LIMIT_EXCEEDED and, for owners and devices that cannot be, ENTRY_INVALID through `fail`
 */
export function mergeMember(
  header: Header,
  extensions: Extensions,
  dataOffset: number,
  fail: Fail,
  warn: Warn,
): TarMember {
  const { pax, longLink } = extensions;
  const path = pathOf(header, extensions);
  const type = typeOf(header.typeflag, path, fail);
  const isDevice = type === 'char' || type === 'block';
  const size = checkSize(pax?.size ?? header.size, fail);
  const mtime = pax?.mtime ?? timeOfSeconds(header.mtime);
  if (isClamped(mtime)) warn('mtime-clamped', 'its mtime becomes the nearest in the years 1677 to 2262');
  if (pax !== null) {
    for (const [keyword, code] of pax.dropped) warn(code, `its PAX record ${keyword} is not applied`);
  }
  return {
    type,
    path,
    linkPath: longLink ?? pax?.linkPath ?? header.linkName,
    mode: header.mode & 0o7777,
    uid: checkId(pax?.uid ?? header.uid, 'uid', fail),
    gid: checkId(pax?.gid ?? header.gid, 'gid', fail),
    size,
    dataSize: size,
    mtime,
    major: isDevice ? checkDevice(pax?.major ?? header.major, 0xfff, 'major', fail) : 0,
    minor: isDevice ? checkDevice(pax?.minor ?? header.minor, 0xfffff, 'minor', fail) : 0,
    xattrs: pax?.xattrs?.decode() ?? noXattrs,
    extents: null,
    dataOffset,
    uname: pax?.uname ?? header.uname,
    gname: pax?.gname ?? header.gname,
  };
}

function typeOf(flag: number, path: Bytes, fail: Fail): TarType {
  switch (flag) {
    case typeflag.file:
    case typeflag.contiguous:
    case typeflag.gnuSparse:
      return 'file';
    case typeflag.oldFile:
      // v7 had no type for directories: a slash at the end makes one.
      return path.endsWith('/') ? 'directory' : 'file';
    case typeflag.hardlink:
      return 'hardlink';
    case typeflag.symlink:
      return 'symlink';
    case typeflag.char:
      return 'char';
    case typeflag.block:
      return 'block';
    case typeflag.directory:
      return 'directory';
    case typeflag.fifo:
      return 'fifo';
    default:
      return fail(`its type '${shown(String.fromCharCode(flag) as Bytes)}' is not known`);
  }
}

/** Also NaN, for a field that holds no number, is refused. */
export function checkSize(size: number, fail: Fail): number {
  if (!(size >= 0)) fail(`its size is ${size}`);
  if (size > limits.fileSize) fail(`its size ${size} is over ${limits.fileSize}`, 'LIMIT_EXCEEDED');
  return size;
}

/** 2^32 - 1 is out: to chown(2) it is -1, which means that nothing is to change. */
function checkId(id: number, name: 'uid' | 'gid', fail: Fail): number {
  if (id < 0 || id > 0xfffffffe) fail(`its ${name} ${id} is not between 0 and 4294967294`, 'ENTRY_INVALID');
  return id;
}

/** The kernel has 12 bits for a major number and 20 for a minor one; mknod(2) would cut off the rest. */
function checkDevice(value: number, maximum: number, name: 'major' | 'minor', fail: Fail): number {
  if (value < 0 || value > maximum) {
    fail(`its ${name} device number ${value} is not between 0 and ${maximum}`, 'ENTRY_INVALID');
  }
  return value;
}
