/** What people and programs read: tables, sizes, times, JSON. Pure; who writes it is context.ts. */

/** Text with its control characters and backslashes escaped as `\xHH`: nothing printed moves a terminal's cursor. */
export function printable(text: string): string {
  return text.replace(
    /[\x00-\x1f\x7f-\x9f\\]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

export interface Column<Row> {
  readonly heading: string;
  readonly value: (row: Row) => string;
  /** Numbers stand at the right edge. */
  readonly align?: 'right';
}

/** Rows under their headings, each column as wide as its widest cell. Cells are escaped. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const lines = [
    columns.map((column) => column.heading),
    ...rows.map((row) => columns.map((column) => printable(column.value(row)))),
  ];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  const padded = (cell: string, at: number): string =>
    columns[at]?.align === 'right' ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0);
  return lines.map((line) => `${line.map(padded).join('  ').trimEnd()}\n`).join('');
}

/** Names and values, one a line, the values under each other. */
export function fields(pairs: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length)) + 1;
  return pairs.map(([name, value]) => `${`${name}:`.padEnd(width)} ${printable(value)}\n`).join('');
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes in units of 1000, as docker and podman print them: `512 B`, `1.2 MB`. */
export function byteCount(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit] ?? ''}`;
}

const spans: readonly (readonly [seconds: number, name: string])[] = [
  [365 * 86_400, 'year'],
  [30 * 86_400, 'month'],
  [7 * 86_400, 'week'],
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
];

/** How long ago, in its largest unit: `3 days ago`. Times that are unknown or not a date: `-`. */
export function ago(time: string | null, now: number = Date.now()): string {
  const seconds = time === null ? NaN : (now - Date.parse(time)) / 1000;
  if (Number.isNaN(seconds)) return '-';
  const span = spans.find(([length]) => seconds >= length);
  if (span === undefined) return 'just now';
  const count = Math.floor(seconds / span[0]);
  return `${count} ${span[1]}${count === 1 ? '' : 's'} ago`;
}

/** Twelve hex digits of a digest, as docker and podman shorten one. */
export function shortDigest(digest: string | null): string {
  return digest === null ? '-' : digest.slice(digest.indexOf(':') + 1).slice(0, 12);
}

/** At most `width` characters, the last of them `…` where something was cut. */
export function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** Nanoseconds since the epoch as RFC 3339 in UTC, with all nine digits: `2024-02-29T12:00:00.000000001Z`. */
export function timestamp(nanoseconds: bigint): string {
  const fraction = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = (nanoseconds - fraction) / 1_000_000_000n;
  const whole = new Date(Number(seconds) * 1000).toISOString().replace(/\.000Z$/, '');
  return `${whole}.${String(fraction).padStart(9, '0')}Z`;
}
