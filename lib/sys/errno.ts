/** Errors of system calls, in the shape of Node's own. */
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { display, type Bytes } from '../bytes.js';
import { describeErrno } from './libc.js';

/** The numbers by name. `EOPNOTSUPP` is spelled `ENOTSUP` in a SystemError's `code`, as Node spells it. */
export const errno = { ...constants.errno, EUCLEAN: 117 } as const;

/** A system call that failed: `ENOENT: no such file or directory, openat2 'path'`. */
export class SystemError extends Error {
  override readonly name = 'Error';
  /** Negative, as Node has it. */
  readonly errno: number;
  readonly code: string;
  readonly syscall: string;
  /** For people: bytes that are not UTF-8 are escaped. */
  readonly path?: string;

  constructor(errno: number, syscall: string, path?: Bytes, text?: string) {
    const { name, message } = describe(errno);
    const shown = path === undefined ? undefined : display(path);
    const where = shown === undefined ? '' : ` '${shown}'`;
    super(`${name}: ${message}, ${syscall}${where}${text === undefined ? '' : `: ${text}`}`);
    this.errno = errno;
    this.code = name;
    this.syscall = syscall;
    if (shown !== undefined) this.path = shown;
  }
}

function describe(errno: number): { name: string; message: string } {
  const known = getSystemErrorMap().get(errno);
  return known === undefined ? describeErrno(-errno) : { name: known[0], message: known[1] };
}

/**
 * The error of a call that returned `result`, a negative errno. `text` is what the kernel said beyond the number.
 */
export function systemError(result: number, syscall: string, path?: Bytes, text?: string): SystemError {
  return new SystemError(result, syscall, path, text);
}

/** `result` if it is not negative. @throws SystemError otherwise */
export function checked(result: number, syscall: string, path?: Bytes): number {
  if (result < 0) throw new SystemError(result, syscall, path);
  return result;
}
