/**
 * Work in progress: directories under tmp/, each locked by the process that made it. What a killed process leaves has
 * no lock any more, and the next process that opens the store sweeps it.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostPath } from '../bytes.js';
import { codeOf } from '../errors.js';
import { removeTree } from '../fs/remove.js';
import { LOCK_EX, tryFlock } from '../sys/index.js';
import type { StoreLayout } from './layout.js';

const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** A directory of one's own in the store's file system. Disposing of it deletes what is still in it. */
export class TemporaryDirectory implements AsyncDisposable {
  readonly path: HostPath;
  #fd: number | null;

  private constructor(path: HostPath, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  static async create(layout: StoreLayout): Promise<TemporaryDirectory> {
    for (;;) {
      const path = join(layout.temporary, randomUUID());
      await mkdir(path, 0o700);
      let fd: number | null = null;
      try {
        fd = openSync(path, flags);
        if (tryFlock(fd, LOCK_EX)) return new TemporaryDirectory(path, fd);
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw error;
      }
      // A sweep came between; it takes the directory away.
      if (fd !== null) closeSync(fd);
    }
  }

  /** Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    const fd = this.#fd;
    if (fd === null) return;
    this.#fd = null;
    try {
      await removeTree(this.path);
    } finally {
      closeSync(fd);
    }
  }
}

/** Deletes what killed processes left under tmp/. @returns what was deleted */
export async function sweepTemporaries(layout: StoreLayout): Promise<HostPath[]> {
  const swept: HostPath[] = [];
  for (const entry of await readdir(layout.temporary, { withFileTypes: true })) {
    const path = join(layout.temporary, entry.name);
    if (!entry.isDirectory()) continue;
    let fd: number;
    try {
      fd = openSync(path, flags);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') continue;
      throw error;
    }
    try {
      if (!tryFlock(fd, LOCK_EX)) continue;
      await removeTree(path);
      swept.push(path);
    } finally {
      closeSync(fd);
    }
  }
  return swept;
}
