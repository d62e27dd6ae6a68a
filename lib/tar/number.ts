/** Numbers of tar archives: octal text and GNU's base-256 in header fields, decimal text in extended headers. */

/** Where a field lies in a block. */
export interface Field {
  readonly start: number;
  readonly length: number;
}

/**
 * The number in a header field, or NaN where the field holds none. A blank field is 0; spaces and NULs before the
 * digits are skipped, one of them ends the digits. A number over 2^53 comes out rounded, but never below 2^53.
 */
export function parseNumber(block: Buffer, { start, length }: Field): number {
  const end = start + length;
  if (((block[start] ?? 0) & 0x80) !== 0) return parseBase256(block, start, end);
  let at = start;
  while (at < end && isBlank(block[at])) at++;
  let value = 0;
  for (; at < end; at++) {
    const digit = (block[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  return at === end || isBlank(block[at]) ? value : NaN;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0;
}

/** Two's complement, big-endian. The top bit only marks the form; the next one is the sign. */
function parseBase256(block: Buffer, start: number, end: number): number {
  const negative = ((block[start] ?? 0) & 0x40) !== 0;
  const flip = negative ? 0xff : 0;
  let value = ((block[start] ?? 0) ^ flip) & 0x7f;
  for (let at = start + 1; at < end; at++) value = value * 256 + ((block[at] ?? 0) ^ flip);
  return negative ? -value - 1 : value;
}

/** The number that decimal digits alone make up, or NaN. */
export function parseDecimal(buffer: Buffer, start: number, end: number): number {
  let value = start < end ? 0 : NaN;
  for (let at = start; at < end; at++) {
    const digit = (buffer[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** Writes `value` as octal digits, zeros in front, that fill `length` bytes. It must fit. */
export function writeOctal(block: Buffer, value: number, start: number, length: number): void {
  let rest = value;
  for (let at = start + length - 1; at >= start; at--) {
    const digit = rest % 8;
    block[at] = 0x30 + digit;
    rest = (rest - digit) / 8;
  }
}
