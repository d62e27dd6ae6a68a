import { appendFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { digestOf } from '../../../lib/digest.js';
import { FileLock } from '../../../lib/fs/lock.js';
import { StoreLayout, prepareLayout } from '../../../lib/layout/layout.js';
import { Lease, collectLock, leasedDigests } from '../../../lib/layout/lease.js';

const [a, b, c] = ['a', 'b', 'c'].map((text) => digestOf(text)) as [
  ReturnType<typeof digestOf>,
  ReturnType<typeof digestOf>,
  ReturnType<typeof digestOf>,
];

async function layoutFor(t: Test): Promise<StoreLayout> {
  const layout = new StoreLayout(join(t.testdir(), 'store'), false);
  await prepareLayout(layout);
  return layout;
}

t.test('what leases hold, until they are closed', async (t) => {
  const layout = await layoutFor(t);
  const one = await Lease.create(layout);
  const two = await Lease.create(layout);
  t.same(leasedDigests(layout), new Set());
  await one.hold([a, b]);
  await two.hold([b]);
  await two.hold([c]);
  t.same(leasedDigests(layout), new Set([a, b, c]));
  one[Symbol.dispose]();
  t.same(leasedDigests(layout), new Set([b, c]));
  two[Symbol.dispose]();
  two[Symbol.dispose]();
  t.same(leasedDigests(layout), new Set());
  t.same(readdirSync(layout.leases), []);
  await t.rejects(two.hold([a]), TypeError);
});

t.test('a lease without a lock, of a killed process, holds nothing and is swept', async (t) => {
  const layout = await layoutFor(t);
  using living = await Lease.create(layout);
  await living.hold([a]);
  writeFileSync(join(layout.leases, 'dead'), `${b}\n`);
  t.same(leasedDigests(layout), new Set([a]));
  t.equal(readdirSync(layout.leases).length, 1);
});

t.test('a line that is cut, or no digest, is passed over', async (t) => {
  const layout = await layoutFor(t);
  using lease = await Lease.create(layout);
  await lease.hold([a]);
  const [name = ''] = readdirSync(layout.leases);
  appendFileSync(join(layout.leases, name), `sha256:../../x\n${b.slice(0, 40)}`);
  t.match(readFileSync(join(layout.leases, name), 'latin1'), b.slice(0, 40));
  t.same(leasedDigests(layout), new Set([a]));
});

t.test('while a collector is at work nobody begins a lease, or adds to one', async (t) => {
  const layout = await layoutFor(t);
  using lease = await Lease.create(layout);
  const collecting = await FileLock.acquire(collectLock(layout), 'exclusive');
  const done: string[] = [];
  const held = lease.hold([a]).then(() => done.push('held'));
  const created = Lease.create(layout).then((other) => {
    done.push('created');
    other[Symbol.dispose]();
  });
  await t.rejects(Lease.create(layout, { signal: AbortSignal.timeout(20) }), { code: 'ABORTED' });
  await delay(50);
  t.same(leasedDigests(layout), new Set());
  t.same(done, []);
  collecting[Symbol.dispose]();
  await Promise.all([held, created]);
  t.same(leasedDigests(layout), new Set([a]));
});
