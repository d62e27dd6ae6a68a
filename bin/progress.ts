/**
 * How far long work is. On a terminal one line a layer with bytes, rate and time left; in a pipe nothing, unless
 * `plain` (lines for a log) or `json` (the library's events, one a line) is asked for. Always on standard error.
 */
import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';
import type * as cliProgress from 'cli-progress';
import type { MultiBar, Params, SingleBar } from 'cli-progress';
import type { ProgressEvent } from '../index.js';
import { byteCount, printable, shortDigest } from './output.js';

export const progressModes = ['auto', 'plain', 'json', 'none'] as const;
export type ProgressMode = (typeof progressModes)[number];

type LayerEvent = Extract<ProgressEvent, { kind: 'layer' }>;

/** Receives events until it is disposed of, which puts the terminal back as it was. */
export interface Progress extends Disposable {
  /** Undefined where nobody looks: the library need not count then. */
  readonly onProgress: ((event: ProgressEvent) => void) | undefined;
}

export interface ProgressStream extends Writable {
  readonly isTTY?: boolean;
  /** Width of the terminal; 0 where it does not say. */
  readonly columns?: number;
}

/** Milliseconds between two reports about one layer. */
const jsonInterval = 100;
const plainInterval = 10_000;

export function startProgress(mode: ProgressMode, stream: ProgressStream, quiet: boolean): Progress {
  if (mode === 'json') return asLines(stream, jsonInterval, (event) => JSON.stringify(event));
  if (mode === 'none' || quiet) return { onProgress: undefined, [Symbol.dispose]: () => undefined };
  if (mode === 'plain') return asLines(stream, plainInterval, plainLine);
  if (stream.isTTY === true) return new TerminalProgress(stream);
  return { onProgress: undefined, [Symbol.dispose]: () => undefined };
}

/** `2/5 3f1b0c9a77de`: which layer, of how many. */
function layerLabel(event: LayerEvent): string {
  const count = String(event.count);
  return `${String(event.index + 1).padStart(count.length)}/${count} ${shortDigest(event.layer)}`;
}

const stateText: Readonly<Record<LayerEvent['state'], string>> = {
  queued: 'waits',
  running: 'begins',
  done: 'done',
  exists: 'is here already',
};

export function plainLine(event: ProgressEvent): string {
  if (event.kind === 'phase') return `${event.phase}: ${printable(event.message)}`;
  const amount = `${byteCount(event.done)} of ${byteCount(event.total)}`;
  const text = event.state === 'running' && event.done > 0 ? amount : stateText[event.state];
  return `layer ${layerLabel(event)}: ${event.state === 'done' ? `${text}, ${byteCount(event.total)}` : text}`;
}

/** One line an event; of a layer that goes on and on, one line an interval. */
function asLines(stream: Writable, interval: number, line: (event: ProgressEvent) => string): Progress {
  const last = new Map<number, number>();
  return {
    onProgress(event) {
      if (event.kind === 'layer' && event.state === 'running') {
        const now = performance.now();
        if (now - (last.get(event.index) ?? -Infinity) < interval) return;
        last.set(event.index, now);
      }
      stream.write(`${line(event)}\n`);
    },
    [Symbol.dispose]: () => undefined,
  };
}

/** Seconds as `4:07` or `1:02:03`; what is not known yet, or longer than four days, as `-:--`. */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds >= 4 * 86_400) return '-:--';
  const whole = Math.ceil(seconds);
  const minutes = Math.floor(whole / 60);
  const tail = String(whole % 60).padStart(2, '0');
  if (minutes < 60) return `${minutes}:${tail}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${tail}`;
}

const barWidth = 24;

/** `1/3 3f1b0c9a77de [=====>    ]  52%  12.3 MB/24.0 MB  8.1 MB/s  0:02` */
export function layerLine(
  label: string,
  done: number,
  total: number,
  elapsed: number,
  columns: number,
): string {
  const part = total === 0 ? 1 : Math.min(done / total, 1);
  const filled = Math.round(part * barWidth);
  const bar = `${'='.repeat(filled)}${filled < barWidth ? '>' : ''}`.padEnd(barWidth).slice(0, barWidth);
  const rate = elapsed > 0 ? done / elapsed : 0;
  const left = rate > 0 ? (total - done) / rate : Infinity;
  const percent = `${Math.floor(part * 100)}%`.padStart(4);
  const numbers = `${percent}  ${byteCount(done)}/${byteCount(total)}  ${byteCount(rate)}/s  ${clock(left)}`;
  const line = `${label} [${bar}] ${numbers}`;
  return line.length <= columns ? line : `${label} ${numbers}`.slice(0, columns);
}

/** A line may be written where a bar was. */
const clearToEnd = '\x1b[K';

/**
 * A bar for each layer that is being read. A layer that is done becomes a line above the bars, so that an image
 * of 500 layers fits a small terminal as well.
 */
class TerminalProgress implements Progress {
  readonly #stream: ProgressStream;
  readonly #running = new Map<number, SingleBar>();
  #bars: MultiBar | undefined;

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  readonly onProgress = (event: ProgressEvent): void => {
    if (event.kind === 'phase') this.#line(plainLine(event));
    else if (event.state === 'running') this.#run(event);
    else if (event.state !== 'queued') this.#end(event);
  };

  #run(event: LayerEvent): void {
    const bar = this.#running.get(event.index);
    if (bar !== undefined) {
      bar.update(event.done);
      return;
    }
    this.#bars ??= createBars(this.#stream);
    this.#running.set(event.index, this.#bars.create(event.total, event.done, { label: layerLabel(event) }));
  }

  #end(event: LayerEvent): void {
    const bar = this.#running.get(event.index);
    if (bar !== undefined) this.#bars?.remove(bar);
    this.#running.delete(event.index);
    this.#line(plainLine(event));
  }

  #line(text: string): void {
    if (this.#bars === undefined) this.#stream.write(`${text}\n`);
    else this.#bars.log(`${text}${clearToEnd}\n`);
  }

  [Symbol.dispose](): void {
    // Only an update writes what log() has taken.
    this.#bars?.update();
    this.#bars?.stop();
    this.#bars = undefined;
  }
}

/** Loaded here and not above: most commands draw no bar and should not wait for the library that does. */
function createBars(stream: ProgressStream): MultiBar {
  const require = createRequire(import.meta.url);
  const { MultiBar } = require('cli-progress') as typeof cliProgress;
  const columns = (): number => (stream.columns === undefined || stream.columns === 0 ? 80 : stream.columns);
  return new MultiBar({
    stream,
    fps: 5,
    clearOnComplete: true,
    // Lines written above the bars move them down.
    forceRedraw: true,
    linewrap: true,
    // bin/layerfs.ts owns the signals. Nothing of the terminal is changed, so that nothing need be put back.
    gracefulExit: false,
    format: (_options, params: Params, payload: { label: string }) =>
      layerLine(
        payload.label,
        params.value,
        params.total,
        (Date.now() - params.startTime) / 1000,
        columns() - 1,
      ),
  });
}
