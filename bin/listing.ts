/** A file of an image as a line of `ls -l` and as JSON. */
import { bufferOf, display, textOf, type Bytes, type ListEntry } from '../index.js';
import { timestamp } from './output.js';

const kindLetters: Readonly<Record<ListEntry['kind'], string>> = {
  directory: 'd',
  file: '-',
  symlink: 'l',
  char: 'c',
  block: 'b',
  fifo: 'p',
};

/** `drwxr-sr-t`, as stat(1) and ls(1) write a mode. */
export function modeText(kind: ListEntry['kind'], mode: number): string {
  const bits = [0o400, 0o200, 0o100, 0o40, 0o20, 0o10, 0o4, 0o2, 0o1];
  const letters = bits.map((bit, at) => ((mode & bit) === 0 ? '-' : 'rwx'.charAt(at % 3)));
  const special = (bit: number, at: number, letter: string): void => {
    if ((mode & bit) !== 0) letters[at] = letters[at] === 'x' ? letter : letter.toUpperCase();
  };
  special(0o4000, 2, 's');
  special(0o2000, 5, 's');
  special(0o1000, 8, 't');
  return kindLetters[kind] + letters.join('');
}

/** Columns have a fixed width, so that a line can be printed before the next is known. */
export function longLine(entry: ListEntry, shown: string): string {
  const device = entry.kind === 'char' || entry.kind === 'block';
  const size = device ? `${entry.major ?? 0}, ${entry.minor ?? 0}` : String(entry.size);
  const owner = `${String(entry.uid).padStart(6)} ${String(entry.gid).padStart(6)}`;
  const time = timestamp(entry.mtime).slice(0, 19).replace('T', ' ');
  const arrow = entry.target === undefined ? '' : ` -> ${display(entry.target)}`;
  return `${modeText(entry.kind, entry.mode)} ${owner} ${size.padStart(12)} ${time} ${shown}${arrow}`;
}

/** `{ path }`, or where the bytes are not UTF-8 `{ pathBase64 }`. */
function bytesJson(key: string, value: Bytes): Record<string, string> {
  const text = textOf(value);
  return text === undefined ? { [`${key}Base64`]: bufferOf(value).toString('base64') } : { [key]: text };
}

export function entryJson(entry: ListEntry): Record<string, string | number> {
  const device = entry.kind === 'char' || entry.kind === 'block';
  return {
    ...bytesJson('path', entry.path),
    kind: entry.kind,
    mode: entry.mode.toString(8).padStart(4, '0'),
    uid: entry.uid,
    gid: entry.gid,
    size: entry.size,
    mtime: timestamp(entry.mtime),
    ...(entry.target === undefined ? {} : bytesJson('target', entry.target)),
    ...(device ? { major: entry.major ?? 0, minor: entry.minor ?? 0 } : {}),
    layer: entry.layer,
  };
}
