/**
 * The one noun of layerfs: a change that a layer makes. Whiteouts are kinds of entry, never magic file names;
 * `whiteout.ts` turns `.wh.` names into these, lib/upper/marks.ts turns overlayfs' marks into these.
 */
import type { Bytes, LayerPath } from '../bytes.js';

/** Exact: nothing is rounded, clamped or decoded. */
export interface Meta {
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. The type is the entry's kind. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since the epoch. */
  readonly mtime: bigint;
  /** By full name, `security.capability`. Values are bytes. */
  readonly xattrs: ReadonlyMap<Bytes, Buffer>;
}

/** A run of data in a file; what lies between two runs is a hole. */
export interface Extent {
  readonly offset: number;
  readonly size: number;
}

interface Named {
  readonly path: LayerPath;
}

export interface FileEntry extends Named {
  readonly kind: 'file';
  readonly meta: Meta;
  /** Length in bytes, holes included. */
  readonly size: number;
  /** The runs of data of a sparse file, in order; null where the whole file is data. */
  readonly extents: readonly Extent[] | null;
}

export interface DirectoryEntry extends Named {
  readonly kind: 'directory';
  readonly meta: Meta;
}

export interface FifoEntry extends Named {
  readonly kind: 'fifo';
  readonly meta: Meta;
}

export interface SymlinkEntry extends Named {
  readonly kind: 'symlink';
  readonly meta: Meta;
  readonly target: Bytes;
}

/** One more name for a file of this layer or, where this layer has no such file, of a layer below. */
export interface HardlinkEntry extends Named {
  readonly kind: 'hardlink';
  readonly target: LayerPath;
}

export interface DeviceEntry extends Named {
  readonly kind: 'char' | 'block';
  readonly meta: Meta;
  readonly major: number;
  readonly minor: number;
}

/** Hides `path` in the layers below; never anything of its own layer, whatever the order. */
export interface WhiteoutEntry extends Named {
  readonly kind: 'whiteout';
}

/** Hides everything that the layers below put in the directory `path`. */
export interface OpaqueEntry extends Named {
  readonly kind: 'opaque';
}

export type Entry =
  | FileEntry
  | DirectoryEntry
  | FifoEntry
  | SymlinkEntry
  | HardlinkEntry
  | DeviceEntry
  | WhiteoutEntry
  | OpaqueEntry;

export type EntryKind = Entry['kind'];
