import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { StoreLayout, prepareLayout } from '../../../lib/layout/layout.js';
import { TemporaryDirectory, sweepTemporaries } from '../../../lib/layout/temporary.js';

async function layoutFor(t: Test): Promise<StoreLayout> {
  const layout = new StoreLayout(join(t.testdir(), 'store'), false);
  await prepareLayout(layout);
  return layout;
}

t.test('a directory of one own, which goes with everything in it', async (t) => {
  const layout = await layoutFor(t);
  const one = await TemporaryDirectory.create(layout);
  const two = await TemporaryDirectory.create(layout);
  t.not(one.path, two.path);
  t.equal(statSync(one.path).mode & 0o777, 0o700);
  mkdirSync(join(one.path, 'a', 'b'), { recursive: true });
  writeFileSync(join(one.path, 'a', 'b', 'f'), 'text');
  await one[Symbol.asyncDispose]();
  await one[Symbol.asyncDispose]();
  t.notOk(existsSync(one.path));
  t.ok(existsSync(two.path));
  await two[Symbol.asyncDispose]();
  t.same(readdirSync(layout.temporary), []);
});

t.test('a sweep takes what killed processes left, and leaves what is in use', async (t) => {
  const layout = await layoutFor(t);
  await using living = await TemporaryDirectory.create(layout);
  writeFileSync(join(living.path, 'f'), 'text');
  const dead = join(layout.temporary, 'dead');
  mkdirSync(join(dead, 'a'), { recursive: true });
  writeFileSync(join(dead, 'a', 'f'), 'text');
  writeFileSync(join(layout.temporary, 'file'), 'not a directory');
  t.same(await sweepTemporaries(layout), [dead]);
  t.notOk(existsSync(dead));
  t.ok(existsSync(join(living.path, 'f')));
  t.same(await sweepTemporaries(layout), []);
});

t.test('many at once, and sweeps between: every one is there when it is given out', async (t) => {
  const layout = await layoutFor(t);
  const use = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      await using directory = await TemporaryDirectory.create(layout);
      writeFileSync(join(directory.path, 'f'), 'text');
      await sweepTemporaries(layout);
      t.ok(existsSync(join(directory.path, 'f')));
    }
  };
  await Promise.all(Array.from({ length: 5 }, use));
  t.same(readdirSync(layout.temporary), []);
});
