/** Tar archives made byte by byte, without lib/tar: what the reader is tested with must not come from its own writer. */
import { spawnSync } from 'node:child_process';
import type { Bytes } from '../../../lib/bytes.js';
import { TarReader, type TarMember, type TarWarning } from '../../../lib/tar/reader.js';

export const b = (text: string): Bytes => text as Bytes;

/** Fields of a header, as text or bytes to be put where they belong; numbers become octal. */
export interface HeaderFields {
  name?: string;
  mode?: number | string | Buffer;
  uid?: number | string | Buffer;
  gid?: number | string | Buffer;
  size?: number | string | Buffer;
  mtime?: number | string | Buffer;
  type?: string;
  link?: string;
  magic?: 'ustar' | 'gnu' | 'v7';
  uname?: string;
  gname?: string;
  major?: number | string;
  minor?: number | string;
  prefix?: string | Buffer;
  /** Further bytes: offset and what to put there. */
  at?: readonly (readonly [number, string | Buffer])[];
  checksum?: 'unsigned' | 'signed' | 'wrong';
}

const magics = { ustar: 'ustar\x0000', gnu: 'ustar  \0', v7: '' };

export function header(fields: HeaderFields): Buffer {
  const block = Buffer.alloc(512);
  const put = (offset: number, value: string | Buffer): void => {
    (typeof value === 'string' ? Buffer.from(value, 'latin1') : value).copy(block, offset);
  };
  const number = (offset: number, width: number, value: number | string | Buffer): void =>
    put(offset, typeof value === 'number' ? value.toString(8).padStart(width - 1, '0') : value);
  put(0, fields.name ?? '');
  number(100, 8, fields.mode ?? 0o644);
  number(108, 8, fields.uid ?? 0);
  number(116, 8, fields.gid ?? 0);
  number(124, 12, fields.size ?? 0);
  number(136, 12, fields.mtime ?? 0);
  put(156, fields.type ?? '0');
  put(157, fields.link ?? '');
  put(257, magics[fields.magic ?? 'ustar']);
  put(265, fields.uname ?? '');
  put(297, fields.gname ?? '');
  if (fields.major !== undefined) number(329, 8, fields.major);
  if (fields.minor !== undefined) number(337, 8, fields.minor);
  put(345, fields.prefix ?? '');
  for (const [offset, value] of fields.at ?? []) put(offset, value);
  block.fill(' ', 148, 156);
  let sum = 0;
  for (const byte of block) sum += fields.checksum === 'signed' && byte > 127 ? byte - 256 : byte;
  if (fields.checksum === 'wrong') sum++;
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return block;
}

/** A header and its data, padded. `size` is the data's unless it is given. */
export function member(fields: HeaderFields, data: string | Buffer = ''): Buffer {
  const body = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
  return Buffer.concat([
    header({ size: body.length, ...fields }),
    body,
    Buffer.alloc((512 - (body.length % 512)) % 512),
  ]);
}

export function record(keyword: string, value: string): string {
  const rest = ` ${keyword}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length++;
  return `${length}${rest}`;
}

/** A PAX header of the given records. */
export function pax(records: readonly (readonly [string, string])[], type: 'x' | 'g' = 'x'): Buffer {
  return member(
    { name: 'PaxHeaders/x', type },
    records.map(([keyword, value]) => record(keyword, value)).join(''),
  );
}

export function longName(name: string, type: 'L' | 'K' = 'L'): Buffer {
  return member({ name: '././@LongLink', type, magic: 'gnu' }, `${name}\0`);
}

export const end = Buffer.alloc(1024);

export interface ReadMember extends TarMember {
  readonly data: string;
}

export interface ReadArchive {
  readonly members: readonly ReadMember[];
  readonly warnings: readonly TarWarning[];
  /** All raw and data bytes in order. */
  readonly bytes: Buffer;
}

/** Reads an archive in chunks of that size. */
export function read(archive: Buffer, chunkSize = archive.length): ReadArchive {
  const members: ReadMember[] = [];
  const warnings: TarWarning[] = [];
  const all: Buffer[] = [];
  let data: Buffer[] | null = null;
  const reader = new TarReader({
    member(found) {
      if (data !== null) throw new Error('member before memberEnd');
      data = [];
      members.push({ ...found, data: '' });
    },
    data(chunk) {
      if (data === null) throw new Error('data without member');
      data.push(Buffer.from(chunk));
      all.push(Buffer.from(chunk));
    },
    memberEnd() {
      const last = members.pop();
      if (last === undefined || data === null) throw new Error('memberEnd without member');
      members.push({ ...last, data: Buffer.concat(data).toString('latin1') });
      data = null;
    },
    raw: (bytes) => all.push(Buffer.from(bytes)),
    warning: (warning) => warnings.push(warning),
  });
  for (let at = 0; at < archive.length; at += chunkSize) reader.write(archive.subarray(at, at + chunkSize));
  reader.end();
  return { members, warnings, bytes: Buffer.concat(all) };
}

export const join = Buffer.concat.bind(Buffer);

/** What most tests look at. */
export function brief(archive: Buffer): [type: string, path: string, data: string][] {
  return read(archive).members.map(({ type, path, data }) => [type, path, data]);
}

/** The one member of an archive. */
export function only(...parts: Buffer[]): ReadMember {
  const { members } = read(join([...parts, end]));
  if (members.length !== 1 || members[0] === undefined) throw new Error(`${members.length} members`);
  return members[0];
}

export const one = (fields: HeaderFields, data = ''): ReadMember => only(member(fields, data));

/** Why a program is missing, for a test's skip; false where it is there. */
export function missing(program: string): string | false {
  const { error } = spawnSync(program, ['--version']);
  return error === undefined ? false : `${program} is not installed`;
}

/** A small generator of numbers, the same for one seed (mulberry32). */
export function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
