/** Files that a source makes on its way, gone when it is. */
import { open, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Abortable } from '../abort.js';
import type { HostPath } from '../bytes.js';
import { wrapError } from '../errors.js';
import { temporaryName } from '../fs/atomic.js';
import type { BlobLocation } from '../content/location.js';

export class TemporaryFiles implements AsyncDisposable {
  readonly #directory: HostPath;
  readonly #paths: HostPath[] = [];

  constructor(directory: HostPath) {
    this.#directory = directory;
  }

  /**
   * Writes a stream to a file of its own, which is there until the end.
   * @throws LayerfsError NO_SPACE, PERMISSION, ABORTED, FILESYSTEM, and whatever `source` throws
   */
  async write(stem: string, source: AsyncIterable<Uint8Array>, options: Abortable): Promise<BlobLocation> {
    const file = temporaryName(this.#directory, stem);
    try {
      const handle = await open(file, 'wx', 0o600);
      this.#paths.push(file);
      const output = handle.createWriteStream();
      await pipeline(source, output, { signal: options.signal });
      return { file, offset: 0, size: output.bytesWritten };
    } catch (error) {
      throw wrapError(error, `write ${file}`, { path: file });
    }
  }

  /** Removes what was written. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of this.#paths.splice(0)) await rm(path, { force: true });
  }
}
