/** statx(2): what the kernel knows about a file, exactly. */
import type { Bytes } from '../bytes.js';
import {
  STATX_ATTR_MOUNT_ROOT,
  STATX_BASIC_STATS,
  STATX_BTIME,
  STATX_MNT_ID_UNIQUE,
  SYS_statx,
} from './constants.js';
import { first } from './cstring.js';
import { checked } from './errno.js';
import { bindSyscall } from './libc.js';

const native = { statx: bindSyscall('int', 'void *', 'int', 'uint', 'void *') };

/** `struct statx` of linux/stat.h, as 32-bit little-endian words. */
const words = new Uint32Array(64);
const buffer = Buffer.from(words.buffer);

/** A 64-bit count as a number: sizes end at 2^63 in theory, far below 2^53 in every file system. */
function count(index: number): number {
  return (words[index] as number) + (words[index + 1] as number) * 0x1_0000_0000;
}

/** Seconds are signed 64-bit; the high word gives the sign. */
function seconds(index: number): number {
  return (words[index] as number) + ((words[index + 1] as number) | 0) * 0x1_0000_0000;
}

const nanoseconds = (sec: number, nsec: number): bigint => BigInt(sec) * 1_000_000_000n + BigInt(nsec);

/**
 * The numbers of one file. Times are nanoseconds since the epoch; they and the other 64-bit values become
 * `bigint` only when they are read, as most callers want none of them.
 */
export class Statx {
  /** STATX_* bits that the file system filled in. */
  readonly mask = words[0] as number;
  /** Type (S_IFMT) and permissions. */
  readonly mode = (words[7] as number) & 0xffff;
  readonly nlink = words[4] as number;
  readonly uid = words[5] as number;
  readonly gid = words[6] as number;
  /** In bytes. */
  readonly size = count(10);
  /** Of 512 bytes each. */
  readonly blocks = count(12);
  readonly rdevMajor = words[32] as number;
  readonly rdevMinor = words[33] as number;
  readonly devMajor = words[34] as number;
  readonly devMinor = words[35] as number;
  readonly mtimeSec = seconds(28);
  readonly mtimeNsec = words[30] as number;
  readonly #attributes = words[2] as number;
  readonly #ino0 = words[8] as number;
  readonly #ino1 = words[9] as number;
  readonly #mountId = count(36);
  readonly #atimeSec = seconds(16);
  readonly #atimeNsec = words[18] as number;
  readonly #btimeSec = seconds(20);
  readonly #btimeNsec = words[22] as number;
  readonly #ctimeSec = seconds(24);
  readonly #ctimeNsec = words[26] as number;

  get ino(): bigint {
    return (BigInt(this.#ino1) << 32n) | BigInt(this.#ino0);
  }

  get atime(): bigint {
    return nanoseconds(this.#atimeSec, this.#atimeNsec);
  }

  get mtime(): bigint {
    return nanoseconds(this.mtimeSec, this.mtimeNsec);
  }

  get ctime(): bigint {
    return nanoseconds(this.#ctimeSec, this.#ctimeNsec);
  }

  /** 0n where the file system does not know it (no STATX_BTIME in `mask`). */
  get btime(): bigint {
    return nanoseconds(this.#btimeSec, this.#btimeNsec);
  }

  /** Unique until reboot where `mask` has STATX_MNT_ID_UNIQUE (Linux 6.8); a number used again otherwise. */
  get mountId(): bigint {
    return BigInt(this.#mountId);
  }

  get isMountRoot(): boolean {
    return (this.#attributes & STATX_ATTR_MOUNT_ROOT) !== 0;
  }

  /** STATX_ATTR_* bits below 2^32. */
  get attributes(): number {
    return this.#attributes;
  }
}

const everything = STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID_UNIQUE;

/**
 * What `path` beneath `dirfd` is. A symlink is followed unless `flags` has AT_SYMLINK_NOFOLLOW; AT_EMPTY_PATH with
 * an empty path asks about `dirfd` itself.
 */
export function statx(dirfd: number, path: Bytes, flags: number, mask = everything): Statx {
  const result = tryStatx(dirfd, path, flags, mask);
  if (typeof result === 'number') checked(result, 'statx', path);
  return result as Statx;
}

/** The same, or a negative errno. */
export function tryStatx(dirfd: number, path: Bytes, flags: number, mask = everything): Statx | number {
  const result = native.statx(SYS_statx, dirfd, first.of(path, 'statx'), flags, mask, buffer);
  return result < 0 ? result : new Statx();
}
