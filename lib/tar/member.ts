/** What the tar reader tells its caller: members, their data, and the bytes in between. */
import type { Bytes } from '../bytes.js';
import type { Extent } from '../layer/entry.js';

export type TarType = 'file' | 'hardlink' | 'symlink' | 'char' | 'block' | 'directory' | 'fifo';

/** One member, with every extended header already applied. Strings are bytes as the archive has them. */
export interface TarMember {
  readonly type: TarType;
  /** As stored: not normalised, perhaps absolute or with `..`, perhaps with a slash at the end. */
  readonly path: Bytes;
  /** Target of a symlink or hardlink as stored, `''` for other types. */
  readonly linkPath: Bytes;
  /** 0 to 0o7777; other bits of the header are masked away. */
  readonly mode: number;
  /** 0 to 2^32 - 2. */
  readonly uid: number;
  readonly gid: number;
  /** Length of the file in bytes, holes included; 0 for every other type. */
  readonly size: number;
  /** How many bytes `data` will receive. Less than `size` for a sparse file. */
  readonly dataSize: number;
  /** Nanoseconds since the epoch, within a signed 64-bit integer. */
  readonly mtime: bigint;
  readonly major: number;
  readonly minor: number;
  readonly xattrs: ReadonlyMap<Bytes, Buffer>;
  /** The runs of data of a sparse file, ascending and not empty; null where all of the file is data. */
  readonly extents: readonly Extent[] | null;
  /** Where the first byte of data lies in the archive. */
  readonly dataOffset: number;
  readonly uname: Bytes;
  readonly gname: Bytes;
}

export type TarWarningCode =
  | 'acl'
  | 'aufs'
  | 'device-zero'
  | 'file-flags'
  | 'global-header'
  | 'mtime-clamped'
  | 'pax-replaced'
  | 'selinux'
  | 'user-xattr';

/** Something an archive asks for that is not carried over. */
export interface TarWarning {
  readonly code: TarWarningCode;
  /** As in the archive. */
  readonly path: Bytes;
  readonly message: string;
}

/**
 * Receives what a TarReader finds, in the order of the archive: for each member `member`, then `data` any number
 * of times, then `memberEnd`. Buffers are views into the chunk being written: copy what must outlive the call.
 */
export interface TarHandler {
  member(member: TarMember): void;
  data(chunk: Buffer): void;
  memberEnd(): void;
  /**
   * Every byte that `data` does not get: headers, padding, sparse maps, skipped bodies, the end, what trails it.
   * `raw` and `data` calls joined in order are the archive; several headers may come in one call.
   */
  raw?(bytes: Buffer): void;
  warning?(warning: TarWarning): void;
}
