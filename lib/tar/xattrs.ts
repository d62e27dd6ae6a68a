/**
 * Extended attributes in PAX records. `SCHILY.xattr.NAME` (star, GNU tar, Go) holds the bytes of the value;
 * `LIBARCHIVE.xattr.NAME` (bsdtar) holds base64.
 */
import type { Bytes } from '../bytes.js';
import { limits } from '../limits.js';
import { shown, type Fail } from './fault.js';

export const schilyPrefix = 'SCHILY.xattr.';
export const libarchivePrefix = 'LIBARCHIVE.xattr.';

export type Xattrs = ReadonlyMap<Bytes, Buffer>;

export const noXattrs: Xattrs = new Map();

/** The xattr records of one PAX header, by their names as encoded there. */
export class XattrRecords {
  readonly #schily = new Map<Bytes, Buffer>();
  readonly #libarchive = new Map<Bytes, Buffer>();

  /** @param value is copied */
  addSchily(name: Bytes, value: Buffer, fail: Fail): void {
    add(this.#schily, name, Buffer.from(value), fail);
  }

  addLibarchive(name: Bytes, base64: Bytes, fail: Fail): void {
    // Buffer.from leaves out what is not base64: half a value must not pass for one.
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) fail(`the value of its xattr ${shown(name)} is not base64`);
    add(this.#libarchive, name, Buffer.from(base64, 'base64'), fail);
  }

  /**
   * The attributes. bsdtar writes both records, with the name percent-encoded in both: such a pair is one attribute, and
   * its value is the SCHILY one.
   */
  decode(): Xattrs {
    const xattrs = new Map<Bytes, Buffer>();
    for (const [name, value] of this.#libarchive) {
      xattrs.set(decodePercent(name), this.#schily.get(name) ?? value);
    }
    for (const [name, value] of this.#schily) {
      if (!this.#libarchive.has(name)) xattrs.set(decodeName(name), value);
    }
    return xattrs;
  }
}

function add(records: Map<Bytes, Buffer>, name: Bytes, value: Buffer, fail: Fail): void {
  if (value.length > limits.xattrValueSize) {
    fail(
      `its xattr ${shown(name)} has ${value.length} bytes, more than ${limits.xattrValueSize}`,
      'LIMIT_EXCEEDED',
    );
  }
  records.set(name, value);
  if (records.size > limits.xattrCount) fail(`more than ${limits.xattrCount} xattrs`, 'LIMIT_EXCEEDED');
}

function decodePercent(name: Bytes): Bytes {
  return name.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  ) as Bytes;
}

/** GNU tar's way to have `=` in a keyword: `%3D`, and `%25` for `%`. Any other `%` stands for itself. */
function decodeName(name: Bytes): Bytes {
  if (!name.includes('%')) return name;
  return name.replace(/%3D|%25/g, (code) => (code === '%3D' ? '=' : '%')) as Bytes;
}

/** The inverse of decodeName. `%` stays as it is where no reader takes it for a code. */
export function encodeName(name: Bytes): Bytes {
  return name.replace(/=|%(?=3D|25)/g, (character) => (character === '=' ? '%3D' : '%25')) as Bytes;
}
