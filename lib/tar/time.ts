/** Times of tar archives: whole seconds in headers, decimal fractions in PAX records. Here: nanoseconds since the epoch. */

const nanosecondsPerSecond = 1_000_000_000n;
const latest = 2n ** 63n - 1n;
const earliest = -(2n ** 63n);
/** Seconds beyond which a time is out of range whatever its fraction. */
const secondsLimit = 9_223_372_037;

/** Whether a time is the first or the last there is: where those outside of the range end up. */
export function isClamped(time: bigint): boolean {
  return time === latest || time === earliest;
}

function clamp(time: bigint): bigint {
  if (time > latest) return latest;
  return time < earliest ? earliest : time;
}

/** A time in whole seconds, clamped to a signed 64-bit count of nanoseconds (the years 1677 to 2262). */
export function timeOfSeconds(seconds: number): bigint {
  if (seconds >= secondsLimit) return latest;
  if (seconds <= -secondsLimit) return earliest;
  return clamp(BigInt(seconds) * nanosecondsPerSecond);
}

/**
 * A PAX time such as `-1.5`, clamped likewise, or null where the text is none (`NaN`, `1e9`, `.5`). Digits after the
 * ninth round down, also below zero.
 */
export function parseTime(text: Buffer, start: number, end: number): bigint | null {
  const negative = text[start] === 0x2d;
  const wholeStart = negative ? start + 1 : start;
  let at = wholeStart;
  let seconds = 0;
  for (; at < end && isDigit(text[at]); at++) seconds = seconds * 10 + digitOf(text[at]);
  if (at === wholeStart || (at < end && text[at] !== 0x2e)) return null;
  let nanoseconds = 0;
  let below = 0n;
  for (let unit = 100_000_000; ++at < end; unit /= 10) {
    if (!isDigit(text[at])) return null;
    if (unit >= 1) nanoseconds += digitOf(text[at]) * unit;
    else if (digitOf(text[at]) > 0) below = 1n;
  }
  if (seconds >= secondsLimit) return negative ? earliest : latest;
  const magnitude = BigInt(seconds) * nanosecondsPerSecond + BigInt(nanoseconds);
  return clamp(negative ? -magnitude - below : magnitude);
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function digitOf(byte: number | undefined): number {
  return (byte ?? 0x30) - 0x30;
}

/** The shortest PAX text of a time. Inverse of parseTime. */
export function formatTime(time: bigint): string {
  const magnitude = time < 0n ? -time : time;
  const fraction = (magnitude % nanosecondsPerSecond).toString().padStart(9, '0').replace(/0+$/, '');
  const whole = (magnitude / nanosecondsPerSecond).toString();
  return `${time < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The seconds of a time that a header of its own can hold to the nanosecond, 0 to `maximum`; else null. */
export function wholeSeconds(time: bigint, maximum: number): number | null {
  if (time < 0n || time % nanosecondsPerSecond !== 0n) return null;
  const seconds = Number(time / nanosecondsPerSecond);
  return seconds <= maximum ? seconds : null;
}
