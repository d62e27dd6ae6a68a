/** What a test needs from the system; each answer is tap's `skip`: false, or what is missing. */
import type { Test } from 'tap';
import { bytes, type Bytes } from '../../lib/bytes.js';
import { CLONE_NEWNS, MS_PRIVATE, MS_REC, mount, unshare } from '../../lib/sys/index.js';
import { codeOf } from '../../lib/errors.js';

export const needsRoot: string | false = process.geteuid?.() === 0 ? false : 'needs root';

let entered: string | false | undefined;

/**
 * Moves this test's main thread into a mount namespace of its own, so that its mounts end with it. Asynchronous calls
 * of Node's fs stay outside.
 */
export function needsMountNamespace(): string | false {
  entered ??= enter();
  return entered;
}

function enter(): string | false {
  try {
    unshare(CLONE_NEWNS);
    mount(null, bytes('/'), null, MS_REC | MS_PRIVATE);
    return false;
  } catch (error) {
    if (codeOf(error) === 'EPERM') return 'needs CAP_SYS_ADMIN for a mount namespace';
    throw error;
  }
}

/** A temporary directory of tap's as bytes. */
export function testDirectory(t: Test, content: Parameters<Test['testdir']>[0] = {}): Bytes {
  return bytes(t.testdir(content));
}
