/** What goes out of a store and in again is the same: blobs byte for byte, trees entry for entry. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { readTree, treeText } from '../support/tree.js';
import { randomImage } from './model.js';
import type { Subject } from './subject.js';
import { Workspace } from './workspace.js';

const seeds = [1, 2, 3, 4, 5];

export async function exports(t: Test, subject: Subject): Promise<void> {
  await using workspace = await Workspace.create(subject);
  const { store } = workspace;
  const images = seeds.map((seed) => {
    const plain = workspace.newDirectory();
    const { layers } = randomImage(seed, plain);
    return { tag: `seed-${seed}`, layers, expected: treeText(readTree(plain)) };
  });
  await workspace.import(images);

  for (const { tag, expected } of images) {
    await t.test(tag, async (t) => {
      const name = `test:${tag}`;
      const { digest } = await store.inspect(name);
      const directory = workspace.newDirectory();
      const path = (to: string): string => join(directory, to);

      await store.export(name, `rootfs:${path('tree')}`);
      t.equal(treeText(readTree(path('tree'))), expected, 'as a directory');

      await store.export(name, `rootfs:${path('tree.tar')}`);
      await store.import(`rootfs:${path('tree.tar')}`, 'flat');
      t.equal(treeText(await workspace.view('flat')), expected, 'as a tar, imported again');
      t.equal((await store.inspect('flat')).layers.length, 1);

      await store.import(`rootfs:${path('tree')}`, 'from-directory');
      const portable = expected.replaceAll(/ trusted\.\S+/g, '');
      t.equal(treeText(await workspace.view('from-directory')), portable, 'a directory, imported');

      await using other = await Workspace.create(subject);
      for (const transport of ['oci', 'oci-archive', 'docker-archive']) {
        await store.export(name, `${transport}:${path(transport)}`);
        await other.store.import(`${transport}:${path(transport)}`, transport);
        t.equal(treeText(await other.view(transport)), expected, transport);
        // A docker-archive has no manifest; the layers are the same all the same.
        if (transport !== 'docker-archive') t.equal((await other.store.inspect(transport)).digest, digest);
      }
      const ids = (root: string): string[] => readdirSync(join(root, 'layers')).sort();
      for (const id of ids(other.store.root)) {
        const index = (root: string): Buffer => readFileSync(join(root, 'layers', id, 'index'));
        t.same(index(other.store.root), index(store.root), 'a layer made again is the same');
      }
    });
  }
}
