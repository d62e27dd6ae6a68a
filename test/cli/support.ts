/** Runs the command line: in this process over a store that is a record of calls, or as the program itself. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Test } from 'tap';
import { PassThrough, Writable, type Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../bin/context.js';
import { run } from '../../bin/run.js';
import type { OpenOptions, Store } from '../../index.js';

/** The built program. */
export const program = fileURLToPath(new URL('../../bin/layerfs.js', import.meta.url));

export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Call = readonly [method: string, ...values: unknown[]];

export interface StubEnded extends Ended {
  /** How the store was opened; undefined where it never was. */
  readonly opened: OpenOptions | undefined;
  /** What the command asked of the store, without opening and closing. */
  readonly calls: readonly Call[];
  readonly closed: number;
}

type Answers = { readonly [Method in keyof Store]?: (...values: never[]) => unknown };

export interface StubOptions {
  readonly answers?: Answers;
  readonly signal?: AbortSignal;
  readonly terminal?: boolean;
  readonly stdin?: Readable;
}

/** Collects what is written to it. */
export class Capture extends Writable {
  text = '';
  isTTY = false;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** Runs a command line over a store that has the methods there are answers for, and no other. */
export async function runOver(words: readonly string[], options: StubOptions = {}): Promise<StubEnded> {
  const stdout = new Capture();
  const stderr = new Capture();
  stdout.isTTY = options.terminal === true;
  const calls: Call[] = [];
  let opened: OpenOptions | undefined;
  let closed = 0;
  const close = async (): Promise<void> => {
    closed++;
  };
  const methods = Object.entries(options.answers ?? {}).map(([name, answer]) => [
    name,
    (...values: never[]): unknown => {
      calls.push([name, ...values]);
      return answer(...values);
    },
  ]);
  const store: unknown = { ...Object.fromEntries(methods), close, [Symbol.asyncDispose]: close };
  const environment: Environment = {
    stdin: options.stdin ?? new PassThrough(),
    stdout,
    stderr,
    signal: options.signal ?? new AbortController().signal,
    open: async (openOptions) => {
      opened = openOptions;
      return store as Store;
    },
  };
  const status = await run(words, environment);
  return { status, stdout: stdout.text, stderr: stderr.text, opened, calls, closed };
}

export interface ProgramOptions {
  /** Standard input; null: one that never ends. */
  readonly input?: string | Buffer | null;
  readonly env?: NodeJS.ProcessEnv;
  /** Called as soon as the program runs. */
  readonly onStart?: (child: ReturnType<typeof spawn>) => void;
}

/** Runs the built program. A signal that ended it is a status over 128, as in a shell. */
export async function runProgram(words: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...words], {
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  options.onStart?.(child);
  if (options.input !== null) child.stdin.end(options.input);
  const [stdout, stderr, [code, signal]] = await Promise.all([
    textOfStream(child.stdout),
    textOfStream(child.stderr),
    ended,
  ]);
  if (code === null) throw new Error(`ended by ${String(signal)}: ${stderr}`);
  return { status: code, stdout, stderr };
}

async function textOfStream(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += String(chunk);
  return text;
}

/** Named command lines whose words are wrong: status 2, a message that begins as every error does, no store opened. */
export async function refusesWords(
  t: Test,
  cases: readonly (readonly [name: string, words: readonly string[], message: RegExp])[],
): Promise<void> {
  for (const [name, words, message] of cases) {
    const { status, stdout, stderr, opened } = await runOver(words);
    t.equal(status, 2, `${name}: status`);
    t.match(stderr, /^layerfs: USAGE: /, `${name}: form`);
    t.match(stderr, message, name);
    t.equal(stdout, '', `${name}: nothing on standard output`);
    t.equal(opened, undefined, `${name}: no store is opened`);
  }
}
