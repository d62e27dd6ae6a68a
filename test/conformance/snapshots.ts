/** Snapshots: what is written to one stays in it, and nowhere else. */
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { directory, file, hardlink, symlink, type Layer } from '../support/tarball.js';
import { readTree, treeOutline, treeText } from '../support/tree.js';
import type { Subject } from './subject.js';
import { Workspace, type Mounted } from './workspace.js';

const plan: Layer[] = [
  [directory('etc'), file('etc/motd', 'hello'), file('etc/passwd', 'root'), directory('var/lib/deep')],
  [file('var/lib/deep/file', 'deep'), symlink('/etc', 'config'), file('a', 'a'), hardlink('a', 'b')],
];

function change({ path }: Mounted, mark: string): void {
  writeFileSync(path('etc', 'motd'), mark);
  appendFileSync(path('var', 'lib', 'deep', 'file'), mark);
  rmSync(path('etc', 'passwd'));
  mkdirSync(path('new'));
  writeFileSync(path('new', mark), mark);
  chmodSync(path('etc'), 0o700);
  renameSync(path('config'), path(`config-${mark}`));
}

export async function snapshots(t: Test, subject: Subject): Promise<void> {
  await using workspace = await Workspace.create(subject);
  const { store } = workspace;
  const image = await workspace.importImage(...plan);
  const shown = treeText(workspace.expected(plan));
  /** Everything below, with times, owners and xattrs: what was imported must never change. */
  const imported = (): string =>
    ['layers', 'content'].map((name) => treeText(readTree(join(store.root, name)))).join('\n');
  const before = imported();

  await t.test('what is written is there when the snapshot is mounted again', async (t) => {
    let written = '';
    const id = await workspace.mounted(image, {}, (mounted) => {
      t.equal(treeText(readTree(mounted.at)), shown, 'a new one shows the image');
      change(mounted, 'x');
      written = treeText(readTree(mounted.at));
      return mounted.snapshot;
    });
    t.not(written, shown);
    t.equal(treeText(await workspace.snapshot(null, id)), written);
    t.equal(treeText(await workspace.snapshot(image, id)), written, 'its image may be named again');
    await workspace.mounted(null, { snapshot: id }, ({ path }) => {
      t.equal(readFileSync(path('var', 'lib', 'deep', 'file'), 'latin1'), 'deepx');
      appendFileSync(path('etc', 'motd'), 'y');
    });
    await workspace.mounted(null, { snapshot: id }, ({ path }) => {
      t.equal(readFileSync(path('etc', 'motd'), 'latin1'), 'xy', 'written twice');
    });
  });

  await t.test('two snapshots and a view at once never see each other', async (t) => {
    const view = await workspace.mount(image, { readOnly: true });
    const [one, two] = [
      await workspace.mount(image, { snapshot: 'one' }),
      await workspace.mount(image, { snapshot: 'two' }),
    ];
    change(one, 'one');
    t.equal(treeText(readTree(two.at)), shown);
    change(two, 'two');
    t.notMatch(treeOutline(readTree(one.at)).join('\n'), /two/);
    t.equal(readFileSync(one.path('etc', 'motd'), 'latin1'), 'one');
    t.equal(treeText(readTree(view.at)), shown);
    await store.unmountAll();
    t.match(treeOutline(await workspace.snapshot(null, 'one')), ['a: a', 'b = a', 'config-one -> /etc']);
  });

  await t.test('the layers and the blobs are as they were', async (t) => {
    t.equal(imported(), before);
    t.equal(treeText(await workspace.view(image)), shown);
  });

  await t.test('what the store says of a snapshot', async (t) => {
    const usage = async (): Promise<{ size: number; inodes: number }> => {
      const [info] = (await store.snapshots()).filter(({ id }) => id === 'measured');
      return info ?? { size: 0, inodes: 0 };
    };
    const mounted = await workspace.mount(image, { snapshot: 'measured' });
    t.match(
      (await store.snapshots()).find(({ id }) => id === 'measured'),
      {
        image: /image-/,
        driver: subject.driver,
        mountpoints: [mounted.at],
      },
    );
    const empty = await usage();
    writeFileSync(mounted.path('big'), Buffer.alloc(1_000_000, 'b'));
    const full = await usage();
    t.ok(
      full.size - empty.size >= 1_000_000 && full.size - empty.size < 1_200_000,
      `${empty.size}, ${full.size}`,
    );
    t.equal(full.inodes - empty.inodes, 1);
    await store.unmount('measured');
    t.match(
      (await store.snapshots()).find(({ id }) => id === 'measured'),
      { mountpoints: [] },
    );
    await store.removeSnapshots(['measured']);
    t.equal(
      (await store.snapshots()).some(({ id }) => id === 'measured'),
      false,
    );
  });

  await t.test('a mount and its snapshot outlive the store object that made them', async (t) => {
    const other = await subject.open(store.root);
    const at = workspace.newDirectory();
    await other.mount(image, at, { snapshot: 'outliving' });
    await other.close();
    writeFileSync(join(at, 'a'), 'changed');
    t.match(await store.mounts(), [{ snapshot: 'outliving', mountpoint: at, driver: subject.driver }]);
    await store.unmount('outliving');
    await workspace.mounted(null, { snapshot: 'outliving' }, ({ path }) => {
      t.equal(readFileSync(path('a'), 'latin1'), 'changed');
    });
  });

  if (subject.supports.volatile) {
    await t.test('volatile: what was written is there as long as the machine runs', async (t) => {
      await workspace.mounted(image, { snapshot: 'volatile', volatile: true }, (mounted) =>
        change(mounted, 'v'),
      );
      for (const volatile of [true, false, false]) {
        await workspace.mounted(null, { snapshot: 'volatile', volatile }, ({ path }) => {
          t.equal(readFileSync(path('etc', 'motd'), 'latin1'), 'v');
        });
      }
    });

    await t.test('volatile: refused when the machine has been stopped meanwhile', async (t) => {
      await workspace.mounted(image, { snapshot: 'stopped', volatile: true }, (mounted) =>
        change(mounted, 'v'),
      );
      writeFileSync(join(store.root, 'snapshots', 'stopped', 'volatile'), 'another boot');
      await t.rejects(workspace.snapshot(null, 'stopped'), { code: 'STORE_INVALID' });
      await store.removeSnapshots(['stopped']);
    });
  }
}
