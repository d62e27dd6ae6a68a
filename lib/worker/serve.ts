/** The thread's side of a WorkerPool: one task at a time. */
import { parentPort } from 'node:worker_threads';
import { toPlainError } from '../errors.js';
import type { Request, Response } from './pool.js';

export function serve<Task, Progress, Result>(
  run: (task: Task, onProgress: (progress: Progress) => void, signal: AbortSignal) => Promise<Result>,
): void {
  const port = parentPort;
  if (port === null) throw new TypeError('this file is a worker thread');
  const send = (message: Response<Progress, Result>): void => port.postMessage(message);
  let controller: AbortController | null = null;
  port.on('message', (request: Request<Task>) => {
    if (request.kind === 'abort') {
      controller?.abort();
      return;
    }
    controller = new AbortController();
    run(request.task, (progress) => send({ kind: 'progress', progress }), controller.signal).then(
      (result) => {
        controller = null;
        send({ kind: 'result', result });
      },
      (error: unknown) => {
        controller = null;
        send({ kind: 'error', error: toPlainError(error) });
      },
    );
  });
}
