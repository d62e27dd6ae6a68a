/** Files that a source makes on its way, gone when it is. */
import { rm } from 'node:fs/promises';
import type { HostPath } from '../bytes.js';
import { temporaryName } from '../fs/atomic.js';

export class TemporaryFiles implements AsyncDisposable {
  readonly #directory: HostPath;
  readonly #paths: HostPath[] = [];

  constructor(directory: HostPath) {
    this.#directory = directory;
  }

  /** A path that nobody else uses, for a file that is removed at the end. */
  path(stem: string): HostPath {
    const path = temporaryName(this.#directory, stem);
    this.#paths.push(path);
    return path;
  }

  /** Removes what was written. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of this.#paths.splice(0)) await rm(path, { force: true });
  }
}
