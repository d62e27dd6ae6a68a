/**
 * Kernel locks (flock) on files of the store: they vanish with their process, so that none is ever stale.
 * Waiting polls: a blocked flock(2) would hold the thread.
 */
import { closeSync, fstatSync, openSync, rmSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { throwIfAborted, type Abortable } from '../abort.js';
import type { HostPath } from '../bytes.js';
import { codeOf } from '../errors.js';
import { LOCK_EX, LOCK_SH, tryFlock } from '../sys/index.js';

export type LockMode = 'shared' | 'exclusive';

const firstWait = 2;
const longestWait = 50;

/** A lock that is held until it is disposed of. */
export class FileLock implements Disposable {
  #fd: number | null;
  readonly #remove: HostPath | null;

  private constructor(fd: number, remove: HostPath | null) {
    this.#fd = fd;
    this.#remove = remove;
  }

  /** The lock, or null where another holds it. The file is made if need be. */
  static tryAcquire(path: HostPath, mode: LockMode, removeAfter = false): FileLock | null {
    for (;;) {
      const fd = openSync(path, 'a', 0o600);
      try {
        if (!tryFlock(fd, mode === 'shared' ? LOCK_SH : LOCK_EX)) {
          closeSync(fd);
          return null;
        }
        // The last holder may have removed the file between our open and our lock.
        if (isSameFile(fd, path)) return new FileLock(fd, removeAfter ? path : null);
      } catch (error) {
        closeSync(fd);
        throw error;
      }
      closeSync(fd);
    }
  }

  /**
   * Waits for the lock.
   * @param removeAfter the file goes away with the lock: for locks that are named after what they guard
   */
  static async acquire(
    path: HostPath,
    mode: LockMode,
    options: Abortable & { removeAfter?: boolean } = {},
  ): Promise<FileLock> {
    let wait = firstWait;
    for (;;) {
      throwIfAborted(options.signal, `wait for ${path}`);
      const lock = FileLock.tryAcquire(path, mode, options.removeAfter);
      if (lock !== null) return lock;
      await delay(wait);
      wait = Math.min(longestWait, wait * 2);
    }
  }

  /** Gives the lock up. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#fd === null) return;
    if (this.#remove !== null) rmSync(this.#remove, { force: true });
    closeSync(this.#fd);
    this.#fd = null;
  }
}

function isSameFile(fd: number, path: HostPath): boolean {
  try {
    const [ours, there] = [fstatSync(fd, { bigint: true }), statSync(path, { bigint: true })];
    return ours.ino === there.ino && ours.dev === there.dev;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
