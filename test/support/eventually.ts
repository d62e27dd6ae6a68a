/** For what the kernel does in its own time: a mount namespace goes a little after its last process. */
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '../../lib/errors.js';

/** Tries until it does not fail with IN_USE any more, for five seconds at most. */
export async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + 5000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (codeOf(error) !== 'IN_USE' || Date.now() > deadline) throw error;
      await delay(20);
    }
  }
}
