#!/usr/bin/env node
/** The program: signals become an AbortSignal, a command line becomes an exit status. */
import { ReaderLeft } from './context.js';
import { signalStatus, type StopSignal } from './exit-codes.js';
import { run } from './run.js';

const stop = new AbortController();
let stopped: { by: StopSignal; at: number } | undefined;

/**
 * The first signal cancels: the command cleans up and ends. One more ends the process at once; but what comes within a
 * second is the same key press, since npm passes on to its child what the terminal has sent there already.
 */
function onSignal(signal: StopSignal, reason?: Error): void {
  const now = performance.now();
  if (stopped === undefined) {
    stopped = { by: signal, at: now };
    stop.abort(reason);
  } else if (now - stopped.at > 1000) {
    process.exit(signalStatus[signal]);
  }
}

for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(signal, () => onSignal(signal));

// `layerfs ls … | head`: end quietly, as other programs do of SIGPIPE.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  onSignal('SIGPIPE', new ReaderLeft());
});
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error; // nobody is left to be told
});

const status = await run(process.argv.slice(2), {
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stop.signal,
  async open(options) {
    const { open } = await import('../index.js');
    return open(options);
  },
});
// What ended well before it noticed the signal has ended well.
process.exitCode = stopped !== undefined && status !== 0 ? signalStatus[stopped.by] : status;
