/** The pool, with threads that do as they are told. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { LayerfsError } from '../../../lib/errors.js';
import { WorkerPool } from '../../../lib/worker/pool.js';

const lib = (name: string): string => JSON.stringify(new URL(`../../../lib/${name}`, import.meta.url).href);

/** What a task may ask for. */
interface Task {
  readonly echo?: string;
  readonly progress?: number;
  readonly fail?: boolean;
  readonly throwError?: boolean;
  readonly exit?: number;
  readonly wait?: boolean;
}

function poolFor(t: Test, size: number): WorkerPool<Task, number, { echo: string; thread: number }> {
  const script = join(t.testdir(), 'worker.mjs');
  writeFileSync(
    script,
    `import { threadId } from 'node:worker_threads';
     import { setTimeout as delay } from 'node:timers/promises';
     import { LayerfsError } from ${lib('errors.js')};
     import { serve } from ${lib('worker/serve.js')};
     serve(async (task, onProgress, signal) => {
       for (let i = 1; i <= (task.progress ?? 0); i++) onProgress(i);
       if (task.fail) throw new LayerfsError('TAR_INVALID', 'bad tar', { detail: { offset: 512 }, cause: new Error('why') });
       if (task.throwError) throw new RangeError('a bug');
       if (task.exit !== undefined) process.exit(task.exit);
       while (task.wait && !signal.aborted) await delay(5);
       if (signal.aborted) throw new LayerfsError('ABORTED', 'cancelled');
       await delay(10);
       return { echo: task.echo ?? '', thread: threadId };
     });`,
  );
  const pool = new WorkerPool<Task, number, { echo: string; thread: number }>(pathToFileURL(script), size);
  t.teardown(() => pool[Symbol.asyncDispose]());
  return pool;
}

t.test('results and progress come back', async (t) => {
  const pool = poolFor(t, 1);
  const seen: number[] = [];
  t.match(await pool.run({ echo: 'a', progress: 3 }, { onProgress: (done) => seen.push(done) }), {
    echo: 'a',
  });
  t.same(seen, [1, 2, 3]);
});

t.test('more tasks than threads: no more threads than asked for, each used again', async (t) => {
  const pool = poolFor(t, 2);
  const results = await Promise.all(Array.from({ length: 8 }, (_, i) => pool.run({ echo: String(i) })));
  t.same(
    results.map(({ echo }) => echo),
    ['0', '1', '2', '3', '4', '5', '6', '7'],
  );
  t.equal(new Set(results.map(({ thread }) => thread)).size, 2);
});

t.test(
  'an error is a LayerfsError on this side too, with detail and cause; the thread goes on',
  async (t) => {
    const pool = poolFor(t, 1);
    const error: unknown = await pool.run({ fail: true }).catch((reason: unknown) => reason);
    t.type(error, LayerfsError);
    t.match(error, {
      code: 'TAR_INVALID',
      message: 'bad tar',
      detail: { offset: 512 },
      cause: { message: 'why' },
    });
    await t.rejects(pool.run({ throwError: true }), { name: 'RangeError', message: 'a bug' });
    t.match(await pool.run({ echo: 'still here' }), { echo: 'still here' });
  },
);

t.test('a thread that dies fails its task alone, and is replaced', async (t) => {
  const pool = poolFor(t, 2);
  const [dead, living] = await Promise.allSettled([pool.run({ exit: 3 }), pool.run({ echo: 'b' })]);
  t.match(dead, { status: 'rejected', reason: { message: /status 3/ } });
  t.match(living, { status: 'fulfilled', value: { echo: 'b' } });
  t.match(await Promise.all([pool.run({ echo: 'c' }), pool.run({ echo: 'd' })]), [
    { echo: 'c' },
    { echo: 'd' },
  ]);
});

t.test('a task is cancelled, before it begins and meanwhile', async (t) => {
  const pool = poolFor(t, 1);
  await t.rejects(pool.run({ wait: true }, { signal: AbortSignal.timeout(50) }), { code: 'ABORTED' });
  await t.rejects(pool.run({ wait: true }, { signal: AbortSignal.abort() }), { code: 'ABORTED' });
  t.match(await pool.run({ echo: 'next' }), { echo: 'next' });
});

t.test('a script that is not there', async (t) => {
  const pool = new WorkerPool<Task, number, null>(new URL('none.js', import.meta.url), 1);
  await t.rejects(pool.run({}), { code: /MODULE_NOT_FOUND/ });
  await pool[Symbol.asyncDispose]();
});
