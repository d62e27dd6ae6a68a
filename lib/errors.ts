/**
 * The one error class of layerfs, and the table of its codes.
 *
 * Codes are part of the public interface: they do not change between major versions, messages may.
 * docs/errors.md is checked against this table by a test.
 */

/** Every code with what it means, in the words docs/errors.md uses. */
export const errorCodes = {
  ABORTED: 'The operation was cancelled through its AbortSignal; nothing it began is visible.',
  ARCHIVE_INVALID: 'An outer archive (docker-archive, oci-archive) is damaged or lacks what it must hold.',
  BLOB_MISSING: 'A blob that a manifest names is neither in the source nor in the store.',
  CLOSED: 'The object was used after it was closed.',
  COMPRESSION_INVALID: 'Compressed data is damaged, truncated or over a limit.',
  COMPRESSION_UNSUPPORTED: 'The compression format is known, but this build cannot read or write it.',
  DIGEST_INVALID: 'A digest does not follow the grammar, or its algorithm is not supported.',
  DIGEST_MISMATCH: 'Bytes do not have the digest they were promised to have.',
  DIFFID_MISMATCH: 'An uncompressed layer does not have the diffID its config names.',
  DRIVER_UNAVAILABLE: 'A storage driver cannot work here; the message says why.',
  DRIVER_UNKNOWN: 'There is no driver of that name.',
  ENTRY_INVALID: 'A layer holds an entry that no file system may be asked to hold.',
  FILESYSTEM: 'The operating system refused; the cause carries its errno, call and path.',
  IMAGE_NOT_FOUND: 'There is no image of that name in the store, or no such tag in the source.',
  INDEX_INVALID: 'A layer index is damaged, or its version is not known.',
  IN_USE: 'A snapshot, a layer or an image is in use; the message says by what.',
  LIMIT_EXCEEDED: 'Untrusted input is over a limit of lib/limits.ts.',
  MANIFEST_INVALID: 'A manifest, index, config or OCI layout does not follow its specification.',
  MEDIA_TYPE_UNSUPPORTED: 'A manifest, config or layer has a media type that cannot be unpacked.',
  MOUNTPOINT_BUSY: 'Something is mounted at the mount point already.',
  MOUNTPOINT_MISSING: 'The mount point does not exist or is not a directory.',
  MOUNT_FAILED: 'The kernel refused a mount; the message has its reason where it gave one.',
  MOUNT_NOT_FOUND: 'Nothing of this store is mounted there.',
  NAME_EXISTS: 'The name or id is taken.',
  NO_SPACE: 'The disk or the quota is full; the store is as it was.',
  PATH_ESCAPE: 'An entry or a link would lead outside its root.',
  PATH_NOT_FOUND: 'The image has nothing at that path.',
  PERMISSION: 'The user lacks a privilege; the message says which and what would help.',
  PLATFORM_NOT_FOUND: 'An index has no manifest for the platform asked for.',
  REFERENCE_INVALID: 'A reference, name, tag, id or transport does not follow the grammar.',
  SIZE_MISMATCH: 'A blob is longer or shorter than its descriptor says.',
  SNAPSHOT_NOT_FOUND: 'There is no snapshot of that id.',
  SOURCE_NOT_FOUND: 'The file or directory to import from does not exist.',
  STORE_INVALID: 'The store is damaged; the message says which object.',
  STORE_VERSION: 'The store was written by a newer layerfs.',
  TAR_INVALID: 'A tar archive is damaged or truncated, or breaks the format.',
  TARGET_EXISTS: 'What would be written exists already.',
  UNSUPPORTED: 'The request is understood, but this version or this driver does not do it.',
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** Facts that go with an error, as plain data: `expected`, `actual`, `path`, `layer`, `digest`, … */
export type Detail = Readonly<Record<string, unknown>>;

export interface LayerfsErrorOptions {
  detail?: Detail;
  cause?: unknown;
}

/**
 * Every failure that layerfs foresees. Programmers' mistakes are `TypeError`, as in Node.
 * `cause` holds the error underneath, often a system error with `errno`, `code` and `syscall`.
 */
export class LayerfsError extends Error {
  override readonly name = 'LayerfsError';
  readonly code: ErrorCode;
  readonly detail: Detail;

  constructor(code: ErrorCode, message: string, options: LayerfsErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = options.detail ?? {};
  }
}

/** The `code` of any error (`ENOENT`, `DIGEST_MISMATCH`), or undefined. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? code : undefined;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * A foreseen error stays as it is; a system error becomes a LayerfsError that says what was being done:
 * NO_SPACE for a full disk or quota, PERMISSION for a missing privilege, FILESYSTEM for the rest.
 * Anything else (a bug) is returned untouched.
 */
export function wrapError(error: unknown, doing: string, detail: Detail = {}): unknown {
  if (error instanceof LayerfsError) return error;
  if (error instanceof Error && error.name === 'AbortError') {
    return new LayerfsError('ABORTED', `${doing}: cancelled`, { cause: error, detail });
  }
  const code = codeOf(error);
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error;
  const message = `${doing}: ${messageOf(error)}`;
  const options = { cause: error, detail: { ...detail, errno: code } };
  if (code === 'ENOSPC' || code === 'EDQUOT') return new LayerfsError('NO_SPACE', message, options);
  if (code === 'EPERM' || code === 'EACCES') return new LayerfsError('PERMISSION', message, options);
  return new LayerfsError('FILESYSTEM', message, options);
}

/** An error as plain data, for the way between threads: structured clone drops our class. */
export interface PlainError {
  name: string;
  message: string;
  stack: string | undefined;
  code: string | undefined;
  detail: Detail | undefined;
  system: { errno?: number; syscall?: string; path?: string } | undefined;
  cause: PlainError | undefined;
}

export function toPlainError(error: unknown): PlainError {
  const e = error instanceof Error ? error : new Error(String(error));
  const system = e as { errno?: number; syscall?: string; path?: string };
  return {
    name: e.name,
    message: e.message,
    stack: e.stack,
    code: codeOf(e),
    detail: e instanceof LayerfsError ? e.detail : undefined,
    system:
      system.syscall === undefined
        ? undefined
        : {
            syscall: system.syscall,
            ...(system.errno === undefined ? {} : { errno: system.errno }),
            ...(system.path === undefined ? {} : { path: system.path }),
          },
    cause: e.cause === undefined ? undefined : toPlainError(e.cause),
  };
}

export function fromPlainError(plain: PlainError): Error {
  const cause = plain.cause === undefined ? undefined : fromPlainError(plain.cause);
  let error: Error;
  if (plain.name === 'LayerfsError' && plain.code !== undefined && plain.code in errorCodes) {
    error = new LayerfsError(plain.code as ErrorCode, plain.message, {
      detail: plain.detail ?? {},
      cause,
    });
  } else {
    error = new Error(plain.message, cause === undefined ? undefined : { cause });
    error.name = plain.name;
    if (plain.code !== undefined) Object.assign(error, { code: plain.code });
  }
  if (plain.system !== undefined) Object.assign(error, plain.system);
  if (plain.stack !== undefined) error.stack = plain.stack;
  return error;
}
