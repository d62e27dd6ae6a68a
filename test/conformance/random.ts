/**
 * The model test: random images, shown by the driver and applied to a plain directory; and random changes, made through
 * a snapshot and in a plain directory. LAYERFS_TEST_SEEDS is how many (200), or `FROM-TO` to run those again.
 */
import type { Test } from 'tap';
import type { Store } from '../../index.js';
import type { HostPath } from '../../lib/bytes.js';
import type { Layer } from '../support/tarball.js';
import { readTree, treeText, type TreeEntry } from '../support/tree.js';
import { randomChange, randomImage } from './model.js';
import { Oracle } from './oracle.js';
import type { Subject } from './subject.js';
import { Workspace } from './workspace.js';

/** Imported at once: most of the time of a small import goes into starting threads. */
const batchSize = 25;

function seeds(): number[] {
  const text = process.env['LAYERFS_TEST_SEEDS'] ?? '200';
  const match = /^(?:(\d+)-)?(\d+)$/.exec(text);
  if (match === null) throw new Error(`LAYERFS_TEST_SEEDS: a number or FROM-TO, not ${text}`);
  const first = Number(match[1] ?? 1);
  return Array.from({ length: Number(match[2]) - first + 1 }, (_, i) => first + i);
}

export async function randomImages(t: Test, subject: Subject): Promise<void> {
  const all = seeds();
  for (let start = 0; start < all.length; start += batchSize) {
    await testBatch(t, subject, all.slice(start, start + batchSize));
  }
}

interface Image {
  readonly seed: number;
  readonly layers: readonly Layer[];
  readonly plain: HostPath;
  readonly oracle: Oracle;
}

async function testBatch(t: Test, subject: Subject, batch: readonly number[]): Promise<void> {
  await using workspace = await Workspace.create(subject);
  const images = batch.map((seed): Image => {
    const plain = workspace.newDirectory();
    return { seed, plain, ...randomImage(seed, plain) };
  });
  const plans = images.map(({ seed, layers }) => ({ tag: `seed-${seed}`, layers }));
  try {
    await workspace.import(plans);
  } catch (error) {
    t.error(error, `seeds ${batch.at(0)} to ${batch.at(-1)}: import`);
    // Once more, to tell which.
    for (const plan of plans) await t.resolves(workspace.import([plan]), plan.tag);
    return;
  }
  for (const image of images) {
    try {
      await testImage(t, subject, workspace, image);
    } catch (error) {
      t.error(error, `seed ${image.seed}`);
    }
  }
}

async function testImage(
  t: Test,
  { supports }: Subject,
  workspace: Workspace,
  { seed, plain, oracle }: Image,
): Promise<void> {
  const name = `test:seed-${seed}`;
  const entries = readTree(plain);
  const before = treeText(entries);
  t.equal(treeText(await workspace.view(name)), before, `seed ${seed}: the view`);
  t.equal(await listed(workspace.store, name), listing(entries), `seed ${seed}: ls`);

  // From here on the plain directory gets what is written to a snapshot.
  const links = supports.hardlinksAcrossCopyUp;
  const id = `seed-${seed}`;
  await workspace.mounted(name, { snapshot: id }, ({ at }) => {
    t.equal(treeText(readTree(at)), before, `seed ${seed}: a new snapshot`);
    const written = new Oracle(at, { like: oracle });
    written.apply(randomChange(-seed, oracle));
    oracle.finish();
    const [actual, expected] = [readTree(at), readTree(plain)];
    t.equal(treeText(actual, { links }), treeText(expected, { links }), `seed ${seed}: after changes`);
  });
  const again = treeText(await workspace.snapshot(null, id), { links });
  t.equal(again, treeText(readTree(plain), { links }), `seed ${seed}: mounted again`);
  t.equal(treeText(await workspace.view(name)), before, `seed ${seed}: the view is as it was`);
}

/** What `ls` tells, which never looks at a file: it is answered by the layers' indexes. */
async function listed(store: Store, name: string): Promise<string> {
  const lines = [];
  for await (const entry of store.ls(name, '', { recursive: true })) {
    const { path, kind, mode, uid, gid, size, mtime, target, major, minor } = entry;
    // No symlink has a mode of its own.
    const shownMode = kind === 'symlink' ? 0o777 : mode;
    lines.push(
      [path, kind, shownMode, uid, gid, size, mtime, target ?? '', major ?? '', minor ?? ''].join(' '),
    );
  }
  return lines.join('\n');
}

function listing(entries: readonly TreeEntry[]): string {
  const lines = entries.slice(1).map(({ path, kind, mode, uid, gid, size, mtime, target, device }) => {
    const [major, minor] = device ?? ['', ''];
    return [path, kind, mode, uid, gid, size ?? 0, mtime, target ?? '', major, minor].join(' ');
  });
  return lines.join('\n');
}
