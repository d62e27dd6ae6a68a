/** Layer tars from values: `tarball(directory('etc'), symlink('/etc', 'local'), file('local/x', 'text'))`. */
import type { Bytes } from '../../lib/bytes.js';
import type { Meta } from '../../lib/layer/entry.js';
import { opaqueName, whiteoutName } from '../../lib/layer/whiteout.js';
import { formatTime } from '../../lib/tar/time.js';
import { encodeMember, endOfArchive, paddingOf } from '../../lib/tar/writer.js';
import { member as rawMember, pax } from '../lib/tar/support.js';
import { meta, type MetaChanges } from './layer-nodes.js';

/** Bytes at a place in a file; what lies between two runs is a hole. */
export interface Run {
  readonly offset: number;
  readonly data: Buffer;
}

interface Placed {
  /** As it is to stand in the tar, a character a byte. */
  readonly path: string;
  readonly meta: Meta;
}

/** One member of a layer, as a value: it can become bytes of a tar, or be applied to a directory (the oracle). */
export type Member =
  | (Placed & { readonly kind: 'directory' | 'fifo' })
  | (Placed & { readonly kind: 'file'; readonly data: Buffer })
  | (Placed & { readonly kind: 'sparse'; readonly size: number; readonly runs: readonly Run[] })
  | (Placed & { readonly kind: 'symlink'; readonly target: string })
  | (Placed & { readonly kind: 'char' | 'block'; readonly major: number; readonly minor: number })
  | { readonly kind: 'hardlink'; readonly path: string; readonly target: string }
  | { readonly kind: 'whiteout' | 'opaque'; readonly path: string }
  | { readonly kind: 'bytes'; readonly bytes: Buffer };

export type Layer = readonly Member[];

/** 2024-01-01, and a fraction that only nanoseconds hold. */
const usualTime = 1_704_067_200_123_456_789n;

function metaOf(mode: number, changes: MetaChanges): Meta {
  return meta({ mode, mtime: usualTime, ...changes });
}

export function directory(path: string, changes: MetaChanges = {}): Member {
  return { kind: 'directory', path, meta: metaOf(0o755, changes) };
}

export function file(path: string, data: string | Buffer = '', changes: MetaChanges = {}): Member {
  return { kind: 'file', path, data: Buffer.from(data), meta: metaOf(0o644, changes) };
}

/** A file with holes, as GNU tar writes it in PAX format 1.0. */
export function sparse(path: string, size: number, runs: readonly Run[], changes: MetaChanges = {}): Member {
  return { kind: 'sparse', path, size, runs, meta: metaOf(0o644, changes) };
}

/** In the order of ln: what it leads to comes first. */
export function symlink(target: string, path: string, changes: MetaChanges = {}): Member {
  return { kind: 'symlink', path, target, meta: metaOf(0o777, changes) };
}

/** In the order of ln: the file that gets one more name comes first. */
export function hardlink(target: string, path: string): Member {
  return { kind: 'hardlink', path, target };
}

export function fifo(path: string, changes: MetaChanges = {}): Member {
  return { kind: 'fifo', path, meta: metaOf(0o600, changes) };
}

export function device(
  kind: 'char' | 'block',
  path: string,
  major: number,
  minor: number,
  changes: MetaChanges = {},
): Member {
  return { kind, path, major, minor, meta: metaOf(0o600, changes) };
}

/** Hides `path` in the layers below. */
export function whiteout(path: string): Member {
  return { kind: 'whiteout', path };
}

/** Hides what the layers below have in the directory `path`. */
export function opaque(path: string): Member {
  return { kind: 'opaque', path };
}

/** Bytes as they are, for what no writer would write. */
export function raw(...parts: readonly Buffer[]): Member {
  return { kind: 'bytes', bytes: Buffer.concat(parts) };
}

export function tarball(...members: Layer): Buffer {
  return Buffer.concat([...members.map(encode), endOfArchive()]);
}

function encode(member: Member): Buffer {
  const path = ('path' in member ? member.path : '') as Bytes;
  switch (member.kind) {
    case 'bytes':
      return member.bytes;
    case 'sparse':
      return encodeSparse(member);
    case 'file': {
      const { data } = member;
      const header = encodeMember({ type: 'file', path, size: data.length, ...member.meta });
      return Buffer.concat([header, data, paddingOf(data.length)]);
    }
    case 'directory':
      return encodeMember({ type: 'directory', path: `${path}/` as Bytes, ...member.meta });
    case 'fifo':
      return encodeMember({ type: 'fifo', path, ...member.meta });
    case 'symlink':
      return encodeMember({ type: 'symlink', path, linkPath: member.target as Bytes, ...member.meta });
    case 'char':
    case 'block':
      return encodeMember({
        type: member.kind,
        path,
        major: member.major,
        minor: member.minor,
        ...member.meta,
      });
    case 'hardlink':
      return encodeMember({ type: 'hardlink', path, linkPath: member.target as Bytes, ...metaOf(0o644, {}) });
    case 'whiteout':
      return marker(path.replace(/[^/]*$/, (name) => whiteoutName(name as Bytes)));
    case 'opaque':
      return marker(path === '' ? opaqueName : `${path}/${opaqueName}`);
  }
}

function marker(path: string): Buffer {
  return encodeMember({ type: 'file', path: path as Bytes, mode: 0, uid: 0, gid: 0, mtime: 0n });
}

function encodeSparse({ path, meta, size, runs }: Extract<Member, { kind: 'sparse' }>): Buffer {
  const numbers = [runs.length, ...runs.flatMap(({ offset, data }) => [offset, data.length])];
  const map = numbers.map((number) => `${number}\n`).join('');
  const body = Buffer.concat([
    Buffer.from(map.padEnd(Math.ceil(map.length / 512) * 512, '\0')),
    ...runs.map(({ data }) => data),
  ]);
  const xattrs = [...meta.xattrs].map(
    ([name, value]) => [`SCHILY.xattr.${name}`, value.toString('latin1')] as const,
  );
  return Buffer.concat([
    pax([
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.name', path],
      ['GNU.sparse.realsize', String(size)],
      ['uid', String(meta.uid)],
      ['gid', String(meta.gid)],
      ['mtime', formatTime(meta.mtime)],
      ...xattrs,
    ]),
    rawMember({ name: 'GNUSparseFile.0/file', mode: meta.mode }, body),
  ]);
}
