/** Every failure by its code; and after it, everything as it was. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { ErrorCode, Store } from '../../index.js';
import { removeTree } from '../../lib/fs/remove.js';
import { file, type Layer } from '../support/tarball.js';
import { treeText } from '../support/tree.js';
import type { Subject } from './subject.js';
import { Workspace } from './workspace.js';

const plan: Layer[] = [[file('f', 'text')]];
const other: Layer[] = [[file('other')]];

interface Failure {
  readonly name: string;
  readonly code: ErrorCode;
  run(store: Store, at: string): Promise<unknown>;
}

const failures: readonly Failure[] = [
  {
    name: 'mount an image that is not there',
    code: 'IMAGE_NOT_FOUND',
    run: (store, at) => store.mount('no:1', at),
  },
  {
    name: 'mount a name that is none',
    code: 'REFERENCE_INVALID',
    run: (store, at) => store.mount('A b', at),
  },
  {
    name: 'mount nothing, read-only',
    code: 'REFERENCE_INVALID',
    run: (store, at) => store.mount(null, at, { readOnly: true }),
  },
  {
    name: 'mount a snapshot that is not there',
    code: 'SNAPSHOT_NOT_FOUND',
    run: (store, at) => store.mount(null, at, { snapshot: 'none' }),
  },
  {
    name: 'name a snapshot with a path',
    code: 'REFERENCE_INVALID',
    run: (store, at) => store.mount('test:a', at, { snapshot: '../evil' }),
  },
  {
    name: 'mount a snapshot with another image',
    code: 'NAME_EXISTS',
    run: (store, at) => store.mount('test:b', at, { snapshot: 'of-a' }),
  },
  {
    name: 'mount where nothing is',
    code: 'MOUNTPOINT_MISSING',
    run: (store, at) => store.mount('test:a', join(at, 'none')),
  },
  {
    name: 'mount at a file',
    code: 'MOUNTPOINT_MISSING',
    run: (store, at) => store.mount('test:a', join(at, 'file')),
  },
  {
    name: 'mount below a file',
    code: 'MOUNTPOINT_MISSING',
    run: (store, at) => store.mount('test:a', join(at, 'file', 'x')),
  },
  { name: 'mount at the store', code: 'MOUNTPOINT_BUSY', run: (store) => store.mount('test:a', store.root) },
  {
    name: 'mount in the store',
    code: 'MOUNTPOINT_BUSY',
    run: (store) => store.mount('test:a', join(store.root, 'layers')),
  },
  {
    name: 'mount with a driver that is none',
    code: 'DRIVER_UNKNOWN',
    run: (store, at) => store.mount('test:a', at, { driver: 'none' }),
  },
  { name: 'unmount what is not mounted', code: 'MOUNT_NOT_FOUND', run: (store, at) => store.unmount(at) },
  { name: 'unmount a snapshot that is not', code: 'MOUNT_NOT_FOUND', run: (store) => store.unmount('of-a') },
  {
    name: 'unmount where nothing is',
    code: 'MOUNT_NOT_FOUND',
    run: (store, at) => store.unmount(join(at, 'none')),
  },
  {
    name: 'remove a snapshot that is not there',
    code: 'SNAPSHOT_NOT_FOUND',
    run: (store) => store.removeSnapshots(['of-a', 'none']),
  },
  {
    name: 'remove a snapshot by a path',
    code: 'REFERENCE_INVALID',
    run: (store) => store.removeSnapshots(['..']),
  },
  {
    name: 'remove an image that is not there',
    code: 'IMAGE_NOT_FOUND',
    run: (store) => store.removeImages(['test:a', 'no:1']),
  },
  { name: 'tag an image that is not there', code: 'IMAGE_NOT_FOUND', run: (store) => store.tag('no:1', 'x') },
  {
    name: 'tag with a name that is none',
    code: 'REFERENCE_INVALID',
    run: (store) => store.tag('test:a', '-'),
  },
  {
    name: 'inspect an image that is not there',
    code: 'IMAGE_NOT_FOUND',
    run: (store) => store.inspect('no:1'),
  },
  {
    name: 'history of an image that is not there',
    code: 'IMAGE_NOT_FOUND',
    run: (store) => store.history('no:1'),
  },
  {
    name: 'export an image that is not there',
    code: 'IMAGE_NOT_FOUND',
    run: (store, at) => store.export('no:1', `rootfs:${at}/x`),
  },
  {
    name: 'export over what is there',
    code: 'TARGET_EXISTS',
    run: (store, at) => store.export('test:a', `rootfs:${at}`),
  },
  {
    name: 'export to what is no transport',
    code: 'REFERENCE_INVALID',
    run: (store) => store.export('test:a', 'x'),
  },
  {
    name: 'list an image that is not there',
    code: 'IMAGE_NOT_FOUND',
    run: (store) => store.ls('no:1').next(),
  },
  {
    name: 'list a path that is not there',
    code: 'PATH_NOT_FOUND',
    run: (store) => store.ls('test:a', 'none').next(),
  },
  {
    name: 'import from nowhere',
    code: 'SOURCE_NOT_FOUND',
    run: (store, at) => store.import(`oci:${at}/none`, 'x'),
  },
  {
    name: 'import from what is no transport',
    code: 'REFERENCE_INVALID',
    run: (store) => store.import('docker:x', 'x'),
  },
  {
    name: 'import a form that is not there yet',
    code: 'UNSUPPORTED',
    run: (store, at) => store.import(`oci:${at}`, 'x', { form: 'packed' }),
  },
];

/** Every method of a store. */
const methods: readonly ((store: Store, at: string) => Promise<unknown>)[] = [
  (store) => store.import('oci:x', 'x'),
  (store) => store.export('test:a', 'oci:x'),
  (store) => store.images(),
  (store) => store.tag('test:a', 'x'),
  (store) => store.removeImages(['test:a']),
  (store) => store.inspect('test:a'),
  (store) => store.history('test:a'),
  (store) => store.ls('test:a').next(),
  (store, at) => store.mount('test:a', at),
  (store, at) => store.unmount(at),
  (store) => store.unmountAll(),
  (store) => store.mounts(),
  (store) => store.snapshots(),
  (store) => store.removeSnapshots([]),
  (store) => store.usage(),
  (store) => store.info(),
];

export async function errors(t: Test, subject: Subject): Promise<void> {
  await using workspace = await Workspace.create(subject);
  const { store } = workspace;
  await workspace.import([
    { tag: 'a', layers: plan },
    { tag: 'b', layers: other },
  ]);
  await workspace.snapshot('test:a', 'of-a');

  for (const { name, code, run } of failures) {
    await t.test(`${name}: ${code}`, async (t) => {
      const at = workspace.newDirectory();
      writeFileSync(join(at, 'file'), '');
      await t.rejects(run(store, at), { name: 'LayerfsError', code });
      t.same(readdirSync(at), ['file']);
      t.same(await store.mounts(), []);
      t.same(
        (await store.snapshots()).map(({ id }) => id),
        ['of-a'],
      );
      t.equal((await store.images()).length, 2);
    });
  }

  await t.test('mount where something is mounted', async (t) => {
    await workspace.mounted('test:a', { readOnly: true }, async ({ at }) => {
      await t.rejects(store.mount('test:b', at), { code: 'MOUNTPOINT_BUSY' });
    });
  });

  await t.test('a view has no snapshot: a mistake of the caller', async (t) => {
    const at = workspace.newDirectory();
    await t.rejects(store.mount('test:a', at, { readOnly: true, snapshot: 's' }), TypeError);
  });

  await t.test('a snapshot is mounted by drivers of its form, and by no other', async (t) => {
    const [{ form } = { form: '' }] = await store.snapshots();
    for (const { name, available } of (await store.info()).drivers) {
      if (!available) continue;
      const at = workspace.newDirectory();
      const made = await store.mount('test:a', workspace.newDirectory(), {
        driver: name,
        snapshot: `by-${name}`,
      });
      await store.unmount(made.mountpoint);
      const same = (await store.snapshots()).find(({ id }) => id === `by-${name}`)?.form === form;
      const mount = store.mount(null, at, { driver: subject.driver, snapshot: `by-${name}` });
      if (same) await t.resolves(mount, name);
      else await t.rejects(mount, { code: 'UNSUPPORTED' }, name);
      if (same) await store.unmount(at);
      // Without a choice the one that can is taken.
      await store.mount(null, at, { snapshot: `by-${name}` });
      await store.unmount(at);
      await store.removeSnapshots([`by-${name}`]);
    }
  });

  await t.test('a layer of the stack is gone: the store says which, and importing again heals', async (t) => {
    await using damaged = await Workspace.create(subject);
    const source = damaged.layout([{ tag: 'x', layers: plan }]);
    await damaged.store.import(`oci:${source}`, 'x');
    const { layers } = await damaged.store.inspect('x');
    for (const path of [join('layers', layers[0]?.id ?? ''), ...['chains', subject.driver]]) {
      await removeTree(join(damaged.store.root, path));
    }
    mkdirSync(join(damaged.store.root, 'chains'));
    await t.rejects(damaged.view('x'), { code: 'STORE_INVALID', detail: { diffId: layers[0]?.diffId } });
    await damaged.store.import(`oci:${source}`, 'x');
    t.equal(treeText(await damaged.view('x')), treeText(damaged.expected(plan)));
  });

  await t.test('after close every method rejects with CLOSED, and closing again is nothing', async (t) => {
    const closed = await subject.open(store.root);
    await closed.close();
    await closed.close();
    await closed[Symbol.asyncDispose]();
    for (const method of methods) await t.rejects(method(closed, '/'), { code: 'CLOSED' }, String(method));
    t.equal((await store.images()).length, 2, 'another object goes on');
  });
}
