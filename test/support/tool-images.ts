/** Images made by other tools, with no network and no storage but a directory of the test's own. */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { tool } from './tools.js';

/**
 * A directory that is removed with the test, under a short path in lower case: podman's run root may have 50
 * characters, and buildah makes a name of the path of a layout.
 */
export async function shortDirectory(t: Test): Promise<string> {
  const directory = join(tmpdir(), `lfs-${randomBytes(4).toString('hex')}`);
  await mkdir(directory);
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A private containers/storage, for buildah and podman. */
export class Storage {
  readonly #options: readonly string[];

  private constructor(directory: string) {
    this.#options = [
      ...['--root', join(directory, 'root')],
      ...['--runroot', join(directory, 'run')],
      ...['--storage-driver', 'vfs'],
    ];
  }

  /** @param directory a short one */
  static async create(directory: string): Promise<Storage> {
    // Without these podman keeps its locks in shared memory and its state in /run, beside those of the machine.
    const conf = join(directory, 'containers.conf');
    await writeFile(conf, `[engine]\nlock_type = "file"\ntmp_dir = "${join(directory, 'tmp')}"\n`);
    process.env['CONTAINERS_CONF'] = conf;
    return new Storage(directory);
  }

  buildah(command: string, ...args: readonly string[]): Promise<string> {
    return tool('buildah', ...this.#options, command, ...args);
  }

  podman(command: string, ...args: readonly string[]): Promise<string> {
    return tool('podman', ...this.#options, command, ...args);
  }

  /** An image of two layers in the storage: `/etc/motd` says hello, `/bin/sh` is a file. */
  async build(directory: string, name: string): Promise<void> {
    const context = join(directory, 'context');
    await mkdir(context, { recursive: true });
    await writeFile(join(context, 'motd'), 'hello');
    await writeFile(join(context, 'sh'), '#!');
    await writeFile(join(context, 'Containerfile'), 'FROM scratch\nCOPY motd /etc/motd\nCOPY sh /bin/sh\n');
    await this.buildah('bud', '--isolation', 'chroot', '--layers', '--tag', name, context);
  }
}
