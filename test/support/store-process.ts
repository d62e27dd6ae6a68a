/** Another process that uses a store, perhaps in a mount namespace of its own. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Store } from '../../index.js';
import type { HostPath } from '../../lib/bytes.js';

export interface Call {
  readonly root: HostPath;
  readonly driver: string;
  readonly method: keyof Pick<Store, 'import' | 'mount' | 'unmount' | 'mounts' | 'removeSnapshots'>;
  readonly args: readonly unknown[];
}

/** A line that the program prints: progress, then one of the others. */
export interface Line {
  readonly progress?: string;
  readonly result?: unknown;
  /** Of the LayerfsError that it failed with. */
  readonly code?: string;
  readonly message?: string;
}

const program = fileURLToPath(new URL('store-program.js', import.meta.url));

/** Disposing of it lets it end, or kills it where it is stuck. */
export class StoreProcess implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  private constructor(words: readonly string[]) {
    const [command = '', ...args] = words;
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  static call(call: Call): StoreProcess {
    return new StoreProcess([process.execPath, program, JSON.stringify(call)]);
  }

  /** In a mount namespace that starts with copies of all mounts here, and learns nothing of later ones. */
  static callInNamespace(call: Call): StoreProcess {
    const unshare = ['unshare', '--mount', '--propagation', 'private'];
    return new StoreProcess([...unshare, process.execPath, program, JSON.stringify(call)]);
  }

  /** A process that does nothing but keep such a namespace. It has one when this resolves. */
  static async keepNamespace(): Promise<StoreProcess> {
    const kept = new StoreProcess([
      'unshare',
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      'echo {}; exec cat',
    ]);
    await kept.line();
    return kept;
  }

  /** The next line. Rejects where the program ended without one. */
  async line(): Promise<Line> {
    const next = await this.#lines.next();
    if (next.done === true) throw new Error('the other process has ended without a word');
    return JSON.parse(next.value) as Line;
  }

  /** What came of the call. */
  async outcome(): Promise<Line> {
    for (;;) {
      const line = await this.line();
      if (line.progress === undefined) return line;
    }
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.stdin.end();
    const deadline = setTimeout(() => child.kill('SIGKILL'), 5000);
    await exit;
    clearTimeout(deadline);
  }
}
