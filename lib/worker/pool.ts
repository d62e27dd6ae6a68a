/**
 * Threads for work that is synchronous at heart. A pool starts a thread when a task finds none idle, up to its size,
 * and keeps it for the next. Errors cross as plain data and are LayerfsErrors again on this side.
 */
import { Worker } from 'node:worker_threads';
import { fromPlainError, type PlainError } from '../errors.js';

/** What a worker is sent. */
export type Request<Task> = { readonly kind: 'run'; readonly task: Task } | { readonly kind: 'abort' };

/** What it answers: any number of progress messages, then one of the others. */
export type Response<Progress, Result> =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'result'; readonly result: Result }
  | { readonly kind: 'error'; readonly error: PlainError };

export interface RunOptions<Progress> {
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal | undefined;
}

interface Job<Task, Progress, Result> {
  readonly task: Task;
  readonly options: RunOptions<Progress>;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Node's default lets buffers that nobody needs any more pile up to three times as much. */
const youngGeneration = 16;

export class WorkerPool<Task, Progress, Result> implements AsyncDisposable {
  readonly #script: URL;
  readonly #size: number;
  readonly #workers = new Set<Worker>();
  readonly #idle: Worker[] = [];
  readonly #queue: Job<Task, Progress, Result>[] = [];

  /** @param size most threads at once */
  constructor(script: URL, size: number) {
    this.#script = script;
    this.#size = size;
  }

  /** Runs a task when a thread is free. It rejects with the task's error; a thread that dies fails its task alone. */
  run(task: Task, options: RunOptions<Progress> = {}): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ task, options, resolve, reject });
      this.#next();
    });
  }

  /** Ends the threads. Tasks must have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    const workers = [...this.#workers];
    this.#workers.clear();
    this.#idle.length = 0;
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  #next(): void {
    if (this.#queue.length === 0) return;
    const worker = this.#idle.pop() ?? (this.#workers.size < this.#size ? this.#start() : undefined);
    if (worker === undefined) return;
    const job = this.#queue.shift();
    if (job !== undefined) this.#assign(worker, job);
  }

  #start(): Worker {
    const worker = new Worker(this.#script, {
      // Loaders and hooks of the program that uses us are not for these threads, and cost each of them its start.
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: youngGeneration },
    });
    this.#workers.add(worker);
    return worker;
  }

  #assign(worker: Worker, { task, options, resolve, reject }: Job<Task, Progress, Result>): void {
    const abort = (): void => worker.postMessage({ kind: 'abort' } satisfies Request<Task>);
    const done = (reusable: boolean): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      options.signal?.removeEventListener('abort', abort);
      if (reusable) this.#idle.push(worker);
      else this.#workers.delete(worker);
      this.#next();
    };
    const onMessage = (message: Response<Progress, Result>): void => {
      if (message.kind === 'progress') {
        options.onProgress?.(message.progress);
        return;
      }
      done(true);
      if (message.kind === 'result') resolve(message.result);
      else reject(fromPlainError(message.error));
    };
    const onError = (error: unknown): void => {
      done(false);
      reject(error);
    };
    const onExit = (status: number): void => {
      done(false);
      reject(new Error(`a worker thread ended with status ${status}`));
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage({ kind: 'run', task } satisfies Request<Task>);
    options.signal?.addEventListener('abort', abort, { once: true });
    if (options.signal?.aborted === true) abort();
  }
}
