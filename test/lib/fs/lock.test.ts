import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { FileLock, type LockMode } from '../../../lib/fs/lock.js';

const pathIn = (t: Test): string => join(t.testdir(), 'lock');

t.test('which locks go together', async (t) => {
  const cases: readonly (readonly [held: LockMode, wanted: LockMode, together: boolean])[] = [
    ['shared', 'shared', true],
    ['shared', 'exclusive', false],
    ['exclusive', 'shared', false],
    ['exclusive', 'exclusive', false],
  ];
  for (const [held, wanted, together] of cases) {
    const path = pathIn(t);
    using _held = FileLock.tryAcquire(path, held);
    using lock = FileLock.tryAcquire(path, wanted);
    t.equal(lock !== null, together, `${held}, then ${wanted}`);
  }
});

t.test('the file is made, for its owner alone, and stays', async (t) => {
  const path = pathIn(t);
  FileLock.tryAcquire(path, 'exclusive')?.[Symbol.dispose]();
  t.equal(readFileSync(path).length, 0);
});

t.test('a lock that is given up can be had again; giving it up twice is nothing', async (t) => {
  const path = pathIn(t);
  const first = FileLock.tryAcquire(path, 'exclusive');
  first?.[Symbol.dispose]();
  using second = FileLock.tryAcquire(path, 'exclusive');
  t.ok(second);
  first?.[Symbol.dispose]();
  t.equal(FileLock.tryAcquire(path, 'exclusive'), null, 'the first holder does not give up the second lock');
});

t.test('waiting: until the other gives it up', async (t) => {
  const path = pathIn(t);
  const order: string[] = [];
  const first = await FileLock.acquire(path, 'exclusive');
  const waiting = FileLock.acquire(path, 'exclusive').then((lock) => {
    order.push('second');
    return lock;
  });
  await delay(60);
  order.push('given up');
  first[Symbol.dispose]();
  (await waiting)[Symbol.dispose]();
  t.same(order, ['given up', 'second']);
});

t.test('waiting can be cancelled, before and meanwhile', async (t) => {
  const path = pathIn(t);
  using _held = await FileLock.acquire(path, 'exclusive');
  await t.rejects(FileLock.acquire(path, 'shared', { signal: AbortSignal.abort() }), { code: 'ABORTED' });
  await t.rejects(FileLock.acquire(path, 'shared', { signal: AbortSignal.timeout(30) }), { code: 'ABORTED' });
});

t.test('a lock that is named after what it guards takes its file along', async (t) => {
  const path = pathIn(t);
  const lock = await FileLock.acquire(path, 'exclusive', { removeAfter: true });
  t.ok(existsSync(path));
  lock[Symbol.dispose]();
  t.notOk(existsSync(path));
});

t.test('a file that goes away between open and lock does not count: one holder at a time', async (t) => {
  const path = pathIn(t);
  let holders = 0;
  let turns = 0;
  const work = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      using _lock = await FileLock.acquire(path, 'exclusive', { removeAfter: true });
      holders += 1;
      t.equal(holders, 1);
      await delay(0);
      turns += 1;
      holders -= 1;
    }
  };
  await Promise.all(Array.from({ length: 5 }, work));
  t.equal(turns, 100);
  t.notOk(existsSync(path));
});

t.test('the lock of a killed process is free', async (t) => {
  const path = pathIn(t);
  const script = new URL('../../../lib/fs/lock.js', import.meta.url).href;
  const code = `const { FileLock } = await import(${JSON.stringify(script)});
    globalThis.lock = FileLock.tryAcquire(${JSON.stringify(path)}, 'exclusive');
    console.log('locked');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  t.equal(FileLock.tryAcquire(path, 'exclusive'), null, 'held by another process');
  child.kill('SIGKILL');
  await once(child, 'exit');
  using lock = FileLock.tryAcquire(path, 'exclusive');
  t.ok(lock);
});

t.test('a path that cannot be is an error', async (t) => {
  t.throws(() => FileLock.tryAcquire(join(pathIn(t), 'none', 'lock'), 'shared'), { code: 'ENOENT' });
});
