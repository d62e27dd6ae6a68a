/**
 * Leases keep what is being worked with from being collected: locked files that name digests. A lease whose process
 * is gone has no lock, counts for nothing, and is swept.
 *
 * The collector's order of events: it takes `locks/collect` exclusively, reads all roots and leases, moves what is
 * not wanted out of sight, and lets go. Whoever needs something takes the lock shared, names it in a lease, and only
 * then looks whether it is there.
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync, closeSync, constants, openSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Abortable } from '../abort.js';
import type { HostPath } from '../bytes.js';
import { isDigest, type Digest } from '../digest.js';
import { codeOf } from '../errors.js';
import { LOCK_EX, flock, tryFlock } from '../sys/index.js';
import type { StoreLayout } from './layout.js';
import { FileLock } from '../fs/lock.js';

export function collectLock(layout: StoreLayout): HostPath {
  return join(layout.locks, 'collect');
}

export class Lease implements Disposable {
  readonly #layout: StoreLayout;
  readonly #path: HostPath;
  #fd: number | null;

  private constructor(layout: StoreLayout, path: HostPath, fd: number) {
    this.#layout = layout;
    this.#path = path;
    this.#fd = fd;
  }

  static async create(layout: StoreLayout, options: Abortable = {}): Promise<Lease> {
    // A collector must not see the file before its lock.
    using _collecting = await FileLock.acquire(collectLock(layout), 'shared', options);
    const path = join(layout.leases, randomUUID());
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND;
    const fd = openSync(path, flags, 0o600);
    flock(fd, LOCK_EX);
    return new Lease(layout, path, fd);
  }

  /** From when it resolves, nothing of this digest (blob, layer of that diffID, chain) is collected. */
  async hold(digests: Iterable<Digest>, options: Abortable = {}): Promise<void> {
    if (this.#fd === null) throw new TypeError('the lease is closed');
    using _lock = await FileLock.acquire(collectLock(this.#layout), 'shared', options);
    appendFileSync(this.#fd, [...digests].map((digest) => `${digest}\n`).join(''));
  }

  /** Idempotent. */
  [Symbol.dispose](): void {
    if (this.#fd === null) return;
    rmSync(this.#path, { force: true });
    closeSync(this.#fd);
    this.#fd = null;
  }
}

/** What living leases hold. Dead ones are swept. The caller holds `locks/collect` exclusively. */
export function leasedDigests(layout: StoreLayout): Set<Digest> {
  const held = new Set<Digest>();
  for (const name of readdirSync(layout.leases)) {
    const path = join(layout.leases, name);
    let fd: number;
    try {
      fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') continue;
      throw error;
    }
    try {
      if (tryFlock(fd, LOCK_EX)) {
        rmSync(path, { force: true });
        continue;
      }
      for (const line of readFileSync(fd, 'latin1').split('\n')) if (isDigest(line)) held.add(line);
    } finally {
      closeSync(fd);
    }
  }
  return held;
}
