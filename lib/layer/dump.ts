/**
 * Layers and trees as text, one line for each entry, for golden tests and for people:
 *
 *     path kind mode uid gid size mtime target hash xattrs…
 *
 * Fields are separated by one space; `-` stands for nothing. A time is its seconds, rounded down, and nanoseconds. Bytes other than printable ASCII, and backslashes, are
 * `\xHH`, so that every line can be read back without doubt.
 */
import type { Bytes, LayerPath } from '../bytes.js';
import type { LayerIndex } from './layer-index.js';

/** The whole layer, in the order of `walk`. A hardlink's line has its target and nothing else. */
export function dumpIndex(index: LayerIndex): string {
  let text = '';
  for (const record of index.walk()) text += `${dumpLine(index.path(record), index, record)}\n`;
  return text;
}

/** One record, under the path that it has in the layer or in a stack. */
export function dumpLine(path: LayerPath, index: LayerIndex, record: number): string {
  const kind = index.kind(record);
  const place = `/${path === '' ? '' : field(path)} ${kind}${flagsOf(index, record)}`;
  if (kind === 'whiteout' || kind === 'hardlink') {
    const linked = index.linkTarget(record);
    const target = linked >= 0 ? index.path(linked) : index.lowerTarget(record);
    return `${place} - - - - - ${target === null ? '-' : `/${field(target)}`} -`;
  }
  return [
    place,
    index.mode(record).toString(8).padStart(4, '0'),
    index.uid(record),
    index.gid(record),
    kind === 'file' ? sizeOf(index, record) : '-',
    `${index.mtimeSec(record)}.${String(index.mtimeNsec(record)).padStart(9, '0')}`,
    targetOf(index, record),
    kind === 'file' ? index.contentHash(record).toString(16).padStart(16, '0') : '-',
    ...xattrsOf(index, record),
  ].join(' ');
}

function flagsOf(index: LayerIndex, record: number): string {
  return [
    index.opaque(record) ? '+opaque' : '',
    index.implied(record) ? '+implied' : '',
    index.lowerTarget(record) === null ? '' : '+lower',
  ].join('');
}

/** `8192`, or `8192[0+512,4096+512]` for a sparse file. */
function sizeOf(index: LayerIndex, record: number): string {
  const extents = index.extents(record);
  if (extents === null) return String(index.size(record));
  return `${index.size(record)}[${extents.map(({ offset, size }) => `${offset}+${size}`).join(',')}]`;
}

function targetOf(index: LayerIndex, record: number): string {
  switch (index.kind(record)) {
    case 'symlink':
      return field(index.target(record));
    case 'char':
    case 'block':
      return `${index.major(record)}:${index.minor(record)}`;
    default:
      return '-';
  }
}

function xattrsOf(index: LayerIndex, record: number): string[] {
  return [...index.xattrs(record)].map(
    ([name, value]) => `${escape(name, /[^\x21-\x7e]|[\\=]/g)}=${field(value.toString('latin1') as Bytes)}`,
  );
}

/** Never empty, never `-` unless there is nothing. */
function field(value: Bytes): string {
  if (value === '') return '-';
  return value === '-' ? '\\x2d' : escape(value, /[^\x21-\x7e]|\\/g);
}

function escape(value: Bytes, unsafe: RegExp): string {
  return value.replace(unsafe, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
