/** What a command is given: the global options, the store, and where to print. */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { OpenOptions, Store, Warning } from '../index.js';
import { printable, table, type Column } from './output.js';
import { startProgress, type Progress, type ProgressMode, type ProgressStream } from './progress.js';

/** The world outside, so that a test can be it. */
export interface Environment {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: ProgressStream;
  /** Aborted by Ctrl-C and the like. */
  readonly signal: AbortSignal;
  readonly open: (options: OpenOptions) => Promise<Store>;
}

/** The reason of an abort because whoever read standard output has left: no failure of ours, nothing to report. */
export class ReaderLeft extends Error {
  override readonly name = 'AbortError';
}

export interface GlobalOptions {
  readonly root?: string;
  readonly driver: string;
  readonly json?: boolean;
  readonly progress: ProgressMode;
  readonly quiet?: boolean;
}

export class Context {
  readonly environment: Environment;
  readonly signal: AbortSignal;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly #options: GlobalOptions;

  constructor(environment: Environment, options: GlobalOptions) {
    this.environment = environment;
    this.signal = environment.signal;
    this.json = options.json === true;
    this.quiet = options.quiet === true;
    this.#options = options;
  }

  /** The store that the global options name. The command that opens it closes it. */
  open(overrides: Pick<OpenOptions, 'root' | 'durable'> = {}): Promise<Store> {
    const { root, driver } = this.#options;
    return this.environment.open({
      ...(root === undefined ? {} : { root }),
      driver,
      signal: this.signal,
      ...overrides,
    });
  }

  /** Does long work, and shows how far it is until it ends, well or not. */
  async watch<T>(work: (onProgress: Progress['onProgress']) => Promise<T>): Promise<T> {
    using progress = startProgress(this.#options.progress, this.environment.stderr, this.quiet);
    return await work(progress.onProgress);
  }

  /** Waits while the reader is slow. */
  async write(text: string): Promise<void> {
    this.signal.throwIfAborted();
    if (text === '' || this.environment.stdout.write(text)) return;
    await once(this.environment.stdout, 'drain', { signal: this.signal });
  }

  /** The result of a command: one JSON value, or its text. */
  async print(value: unknown, text: () => string): Promise<void> {
    await this.write(this.json ? `${JSON.stringify(value)}\n` : text());
  }

  /** A list: one JSON array, a table, or with --quiet the first column alone, one a line. */
  async list<Row>(rows: readonly Row[], columns: readonly [Column<Row>, ...Column<Row>[]]): Promise<void> {
    const [key] = columns;
    await this.print(rows, () =>
      this.quiet ? rows.map((row) => `${printable(key.value(row))}\n`).join('') : table(rows, columns),
    );
  }

  /** Something that was dropped or changed on the way. Shown even with --quiet: nothing is lost silently. */
  readonly warn = (warning: Warning): void => {
    const text = printable(`${warning.subject}: ${warning.message}`);
    this.environment.stderr.write(`layerfs: warning: ${warning.code}: ${text}\n`);
  };
}
