/** Strings for the kernel, in memory that is used again and again: a path costs a copy, not an allocation. */
import type { Bytes } from '../bytes.js';
import { errno, systemError } from './errno.js';

/** One more than PATH_MAX: a longer path arrives without its end, and the kernel says ENAMETOOLONG. */
const capacity = 4097;

const notBytes = /[^\x01-\xff]/;

export class CStringArgument {
  readonly #buffer = Buffer.allocUnsafeSlow(capacity + 1);

  /**
   * The string with its NUL, valid until the next call.
   * @throws SystemError EINVAL where a NUL (or a character that is no byte) would change its meaning
   */
  of(value: Bytes, syscall: string): Buffer {
    if (notBytes.test(value)) throw systemError(-errno.EINVAL, syscall, value, 'a name cannot hold this');
    const buffer = this.#buffer;
    buffer[buffer.write(value, 0, capacity, 'latin1')] = 0;
    return buffer;
  }
}

/** The first and second string of a call. Calls are synchronous, so two serve all of them. */
export const first = new CStringArgument();
export const second = new CStringArgument();
