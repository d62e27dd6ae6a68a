/** Stacks: how many layers, which again, and in what compression. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { directory, file, whiteout, type Layer } from '../support/tarball.js';
import { treeOutline, treeText } from '../support/tree.js';
import type { Subject } from './subject.js';
import { Workspace } from './workspace.js';

/** Each adds a file, writes one that all have, and hides the file of the layer before the last. */
function stack(count: number): Layer[] {
  return Array.from({ length: count }, (_, i) => [
    directory('d', { mtime: BigInt(i) }),
    file(`d/${i}`, String(i)),
    file('top', String(i)),
    ...(i >= 2 ? [whiteout(`d/${i - 2}`)] : []),
  ]);
}

function shownBy(count: number): string[] {
  const last = [count - 2, count - 1].map((i) => `d/${i}: ${i}`).sort();
  return ['d/', ...last, `top: ${count - 1}`];
}

export async function layers(t: Test, subject: Subject): Promise<void> {
  const { maximumLayers } = subject.supports;

  for (const count of [1, 2, 128, maximumLayers ?? 500]) {
    await t.test(`${count} layers`, async (t) => {
      await using workspace = await Workspace.create(subject);
      const image = await workspace.importImage(...stack(count));
      t.same(
        treeOutline(await workspace.view(image)),
        count === 1 ? ['d/', 'd/0: 0', 'top: 0'] : shownBy(count),
      );
      await workspace.mounted(image, {}, ({ path }) => {
        t.equal(readFileSync(path('top'), 'latin1'), String(count - 1));
      });
    });
  }

  const over = (maximumLayers ?? 500) + 1;
  await t.test(`${over} layers`, async (t) => {
    await using workspace = await Workspace.create(subject);
    const image = await workspace.importImage(...stack(over));
    if (maximumLayers === null) {
      t.same(treeOutline(await workspace.view(image)), shownBy(over));
      return;
    }
    for (const readOnly of [true, false]) {
      const at = workspace.newDirectory();
      await t.rejects(workspace.store.mount(image, at, { readOnly }), { code: 'UNSUPPORTED' });
      t.same(readdirSync(at), [], 'nothing is mounted');
    }
    t.same(await workspace.store.mounts(), []);
    t.same(await workspace.store.snapshots(), []);
  });

  await t.test(`as many as can be, and none says what the root looks like`, async (t) => {
    await using workspace = await Workspace.create(subject);
    const count = maximumLayers ?? 500;
    const plan = stack(count);
    const image = await workspace.importImage(
      [directory('', { mode: 0o1711, uid: 4 }), file('x')],
      ...plan.slice(1),
    );
    const [root] = await workspace.view(image);
    t.match(root, { mode: 0o1711, uid: 4 });
    const [again] = await workspace.snapshot(image);
    t.match(again, { mode: 0o1711, uid: 4 });
  });

  await t.test(
    'no layers at all: an empty root, and never a directory of the store (CVE-2026-24054)',
    async (t) => {
      await using workspace = await Workspace.create(subject);
      const image = await workspace.importImage();
      t.match(await workspace.view(image), [{ path: '', mode: 0o755, uid: 0, mtime: 0n }]);
      await workspace.mounted(image, { readOnly: true }, ({ path }) => {
        t.throws(() => readFileSync(path('version')), { code: 'ENOENT' });
      });
      t.equal((await workspace.snapshot(image, 's')).length, 1);
    },
  );

  await t.test('the same layer several times in a stack', async (t) => {
    await using workspace = await Workspace.create(subject);
    const layer = [file('a', 'a'), whiteout('b')];
    const image = await workspace.importImage(
      layer,
      layer,
      [file('b', 'b')],
      layer,
      [file('b', 'B')],
      layer,
      layer,
    );
    t.same(treeOutline(await workspace.view(image)), ['a: a']);
    t.equal((await workspace.store.info()).layers, 3, 'each is stored once');
  });

  await t.test('one layer on different stacks means what it means on each', async (t) => {
    await using workspace = await Workspace.create(subject);
    const upper = [file('d/new', 'new')];
    await workspace.import([
      { tag: 'a', layers: [[directory('d', { mode: 0o700, uid: 1 })], upper] },
      { tag: 'b', layers: [[directory('d', { mode: 0o711, uid: 2 })], upper] },
      { tag: 'alone', layers: [upper] },
    ]);
    for (const [tag, mode, uid] of [
      ['a', 0o700, 1],
      ['b', 0o711, 2],
      ['alone', 0o755, 0],
    ] as const) {
      t.match((await workspace.view(`test:${tag}`))[1], { path: 'd', mode, uid }, tag);
    }
  });

  await t.test('uncompressed, gzip, and zstd in several frames are the same layers', async (t) => {
    await using workspace = await Workspace.create(subject);
    const plan = [[file('big', Buffer.alloc(300_000, 'x')), directory('d')], [file('d/f', 'f')]];
    const compressions = ['none', 'gzip', 'zstd'] as const;
    await workspace.import(
      compressions.map((compression) => ({ tag: compression, layers: plan, compression })),
    );
    const expected = treeText(workspace.expected(plan));
    for (const compression of compressions) {
      t.equal(treeText(await workspace.view(`test:${compression}`)), expected, compression);
    }
    const { layers } = await workspace.store.info();
    t.equal(layers, 2);
  });

  await t.test('layers are kept as long as something needs them, and no longer', async (t) => {
    await using workspace = await Workspace.create(subject);
    const base = [file('base', 'base')];
    await workspace.import([
      { tag: 'one', layers: [base, [file('one', '1')]] },
      { tag: 'two', layers: [base, [file('two', '2')]] },
    ]);
    await workspace.mount('test:one', { snapshot: 'kept' });
    const { removed } = await workspace.store.removeImages(['test:one', 'test:two']);
    t.equal(removed.length, 2);
    t.equal((await workspace.store.info()).layers, 2, 'those of the snapshot');
    await workspace.store.unmount('kept');
    t.same(treeOutline(await workspace.snapshot(null, 'kept')), ['base: base', 'one: 1']);
    await workspace.store.removeSnapshots(['kept']);
    await workspace.importImage([file('other')]);
    await workspace.store.removeImages([(await workspace.store.images())[0]?.name ?? '']);
    t.equal((await workspace.store.info()).layers, 0);
    for (const folder of ['layers', 'chains', 'snapshots', join('content', 'blobs', 'sha256')]) {
      t.same(readdirSync(join(workspace.store.root, folder)), [], folder);
    }
  });
}
