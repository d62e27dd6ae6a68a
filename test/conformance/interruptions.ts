/** What is cut off leaves nothing that can be seen, and the next process that opens the store cleans up. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import type { Store } from '../../index.js';
import { StoreProcess, type Call } from '../support/store-process.js';
import { directory, file, hardlink, type Layer } from '../support/tarball.js';
import { readTree, treeText } from '../support/tree.js';
import type { Subject } from './subject.js';
import { Workspace } from './workspace.js';

/** Enough to be in the middle of. */
const plan: Layer[] = Array.from({ length: 4 }, (_, layer) => [
  directory(`d${layer}`),
  ...Array.from({ length: 150 }, (_, i) => file(`d${layer}/${i}`, randomBytes(5000))),
  ...(layer > 0 ? [hardlink(`d${layer - 1}/0`, `implied/${layer}`)] : []),
]);

/** What every reader of the store relies on. */
async function checkWhole(t: Test, store: Store): Promise<void> {
  for (const id of readdirSync(join(store.root, 'layers'))) {
    for (const name of ['layer.json', 'index', 'tree']) {
      t.ok(existsSync(join(store.root, 'layers', id, name)), `a layer that can be seen has its ${name}`);
    }
  }
  for (const folder of ['leases', 'locks']) {
    t.ok(readdirSync(join(store.root, folder)).length < 50, `no heap of files in ${folder}`);
  }
}

export async function interruptions(t: Test, subject: Subject): Promise<void> {
  await t.test('a killed import leaves no image, and importing again heals', async (t) => {
    await using workspace = await Workspace.create(subject);
    const source = `oci:${workspace.layout([{ tag: 'x', layers: plan }])}`;
    const expected = treeText(workspace.expected(plan));
    for (const [round, moment] of [0, 1, 5, 9, 12, 14].entries()) {
      const root = join(workspace.directory, `killed-${round}`);
      const call: Call = { root, driver: subject.driver, method: 'import', args: [source, 'x'] };
      await using victim = StoreProcess.call(call);
      // A line is a step: four layers are queued, begun and done; then comes what makes an image of them.
      let steps = 0;
      while (steps <= moment && (await victim.line()).progress !== undefined) steps += 1;
      if (round % 2 === 1) await delay(10);
      await victim.kill('SIGKILL');

      await using store = await subject.open(root);
      const session = readdirSync(join(root, 'tmp'));
      t.equal(session.length, 1, `after ${steps} steps: opening the store sweeps all but its own directory`);
      await checkWhole(t, store);
      const images = await store.images();
      if (images.length > 0) t.equal(steps, 13, 'the name comes last');
      await store.import(source, 'x');
      const at = workspace.newDirectory();
      await store.mount('x', at, { readOnly: true });
      t.equal(treeText(readTree(at)), expected);
      await store.unmount(at);
    }
  });

  await t.test('an aborted import leaves no image, at whatever moment', async (t) => {
    await using workspace = await Workspace.create(subject);
    const { store } = workspace;
    const source = `oci:${workspace.layout([{ tag: 'x', layers: plan }])}`;
    await t.rejects(store.import(source, 'x', { signal: AbortSignal.abort() }), { code: 'ABORTED' });
    for (const moment of [1, 4, 6, 9]) {
      const controller = new AbortController();
      let steps = 0;
      const onProgress = (): void => {
        steps += 1;
        if (steps === moment) controller.abort();
      };
      await t.rejects(store.import(source, 'x', { signal: controller.signal, onProgress }), {
        code: 'ABORTED',
      });
      t.same(await store.images(), [], `after ${moment} steps`);
      t.equal(readdirSync(join(store.root, 'tmp')).length, 1, 'nothing half-made is left');
      t.same(readdirSync(join(store.root, 'leases')), []);
      await checkWhole(t, store);
    }
    await store.import(source, 'x');
    t.equal(treeText(await workspace.view('x')), treeText(workspace.expected(plan)));
  });

  await t.test('an aborted mount leaves neither mount nor snapshot', async (t) => {
    await using workspace = await Workspace.create(subject);
    const { store } = workspace;
    const image = await workspace.importImage(...plan);
    const at = workspace.newDirectory();
    const options = { signal: AbortSignal.abort(), snapshot: 's' };
    await t.rejects(store.mount(image, at, options), { code: 'ABORTED' });
    t.same(await store.mounts(), []);
    t.same(await store.snapshots(), []);
    t.same(readdirSync(at), []);
    t.same(readdirSync(join(store.root, 'leases')), []);
    await workspace.snapshot(image, 's');
  });

  await t.test('a layer that is refused leaves nothing of its image', async (t) => {
    await using workspace = await Workspace.create(subject);
    const { store } = workspace;
    const good = [file('good', 'good')];
    const bad = [directory('d'), hardlink('nowhere', 'd/l')];
    await t.rejects(workspace.importImage(good, bad), { code: 'ENTRY_INVALID' });
    t.same(await store.images(), []);
    t.equal(readdirSync(join(store.root, 'tmp')).length, 1);
    t.match(
      await store.info(),
      { images: 0, layers: 1 },
      'the layer that was complete stays for the next try',
    );
    t.equal(
      treeText(await workspace.view(await workspace.importImage(good))),
      treeText(workspace.expected([good])),
    );
  });

  await t.test('two imports of one image at once: each layer is made once (containerd#5675)', async (t) => {
    await using workspace = await Workspace.create(subject);
    await using other = await subject.open(workspace.store.root);
    const free = plan.map((layer) => layer.filter(({ kind }) => kind !== 'hardlink'));
    const source = `oci:${workspace.layout([{ tag: 'x', layers: free }])}`;
    const states: string[] = [];
    const onProgress = (event: { kind: string; state?: string }): void => {
      if (event.state === 'done') states.push('done');
    };
    await Promise.all([
      workspace.store.import(source, 'one', { onProgress }),
      other.import(source, 'two', { onProgress }),
    ]);
    t.equal(states.length, free.length);
    t.equal((await workspace.store.info()).layers, free.length);
    t.equal(treeText(await workspace.view('one')), treeText(workspace.expected(free)));
  });

  await t.test('an import while another process removes images', async (t) => {
    await using workspace = await Workspace.create(subject);
    await using other = await subject.open(workspace.store.root);
    const source = `oci:${workspace.layout([{ tag: 'x', layers: plan }])}`;
    await other.import(source, 'first');
    let importing = true;
    const collecting = (async (): Promise<void> => {
      for (let i = 0; importing; i++) {
        await other.import(`oci:${workspace.layout([{ tag: 'y', layers: [[file(`y${i}`)]] }])}`, 'y');
        await other.removeImages(i === 0 ? ['y', 'first'] : ['y']);
      }
    })();
    try {
      await workspace.store.import(source, 'second');
    } finally {
      importing = false;
      await collecting;
    }
    t.equal(treeText(await workspace.view('second')), treeText(workspace.expected(plan)));
  });

  await t.test('what killed processes leave at a first start is a store afterwards', async (t) => {
    await using workspace = await Workspace.create(subject);
    const root = join(workspace.directory, 'half');
    for (const name of ['names', 'layers', 'tmp']) mkdirSync(join(root, name), { recursive: true });
    const store = await subject.open(root);
    t.same(await store.images(), []);
    await store.close();
    const strange = join(workspace.directory, 'strange');
    mkdirSync(strange);
    writeFileSync(join(strange, 'thesis.txt'), 'precious');
    await t.rejects(subject.open(strange), { code: 'STORE_INVALID' });
    t.same(readdirSync(strange), ['thesis.txt']);
  });
}
