/** The records of PAX extended headers (POSIX.1-2001): `LENGTH KEYWORD=VALUE` and a newline. Values are bytes. */
import type { Bytes } from '../bytes.js';
import type { Fail } from './fault.js';
import { parseDecimal } from './number.js';

/**
 * Visits the records in order. The value is `payload` from `start` to `end`.
 *
 * @throws TAR_INVALID through `fail` unless the records fill the payload exactly, each with its newline and a keyword
 */
export function forEachRecord(
  payload: Buffer,
  visit: (keyword: Bytes, start: number, end: number) => void,
  fail: Fail,
): void {
  for (let at = 0; at < payload.length;) {
    const space = payload.indexOf(0x20, at);
    const length = parseDecimal(payload, at, space);
    if (Number.isNaN(length)) fail('a PAX record does not begin with its length');
    const newline = at + length - 1;
    if (newline <= space || payload[newline] !== 0x0a)
      fail('a PAX record does not end where its length says');
    const equals = payload.indexOf(0x3d, space);
    if (equals < 0 || equals > newline) fail('a PAX record has no =');
    const keyword = payload.toString('latin1', space + 1, equals) as Bytes;
    if (keyword === '' || keyword.includes('\0')) fail('a PAX record has no keyword, or a NUL in it');
    visit(keyword, equals + 1, newline);
    at = newline + 1;
  }
}

/** One record, ready to be written. */
export function encodeRecord(keyword: Bytes, value: Bytes): Bytes {
  const rest = ` ${keyword}=${value}\n`;
  // The length counts its own digits.
  let length = rest.length + String(rest.length).length;
  length = rest.length + String(length).length;
  return `${length}${rest}` as Bytes;
}
