import t from 'tap';
import { rootPath, type LayerPath } from '../../../lib/bytes.js';
import { encodeIndex } from '../../../lib/layer/index-encode.js';
import { LayerIndex } from '../../../lib/layer/layer-index.js';
import type { StackEntry } from '../../../lib/union/entry.js';
import { linkGroups } from '../../../lib/union/link-groups.js';
import { Stack } from '../../../lib/union/stack.js';
import { FlatTree, type Flat } from '../../support/flat-apply.js';
import {
  device,
  directory,
  fifo,
  file,
  hardlink,
  lowerHardlink,
  symlink,
  tree,
  whiteout,
  type Plan,
} from '../../support/layer-nodes.js';
import { Random } from '../../support/random.js';

/** Few, so that layers meet; in the order of bytes but not of paths joined by slashes. */
const names = ['a', 'a-b', 'b', '\xff'];

/** A layer that meets what is below. Every inode has a uid of its own, to be told apart by. */
function randomLayer(random: Random, below: FlatTree, nextUid: () => number): Record<string, Plan> {
  const plans: Record<string, Plan> = {};
  const directories = [''];
  const inodes: string[] = [];
  const lowerFiles = below.paths().filter((path) => below.entries.get(path)?.kind !== 'directory');
  if (random.chance(0.5)) {
    plans[''] = directory({ uid: nextUid(), opaque: random.chance(0.1) });
  }
  for (let i = random.below(12); i >= 0; i--) {
    const parent = random.pick(directories);
    const path = `${parent === '' ? '' : `${parent}/`}${random.pick(names)}`;
    if (path in plans) continue;
    const uid = nextUid();
    const kind = random.below(10);
    if (kind < 4 && path.length < 12) {
      // An implied directory has no attributes of its own.
      const implied = random.chance(0.4);
      plans[path] = directory({ uid: implied ? 0 : uid, implied, opaque: random.chance(0.2) });
      directories.push(path);
    } else if (kind === 4) {
      plans[path] = whiteout();
    } else if (kind === 5 && inodes.length > 0) {
      plans[path] = hardlink(random.pick(inodes));
    } else if (kind === 6 && lowerFiles.length > 0) {
      plans[path] = lowerHardlink(random.pick(lowerFiles));
    } else {
      plans[path] = random.pick([
        file({ uid, size: uid }),
        symlink(random.pick(names), { uid }),
        device('char', 1, uid, { uid }),
        fifo({ uid }),
      ]);
      inodes.push(path);
    }
  }
  return plans;
}

function described(layers: readonly LayerIndex[], entry: StackEntry): string {
  const index = layers[entry.layer]!;
  const kind = entry.directory === null ? index.kind(entry.record) : 'directory';
  return `${kind} ${index.mode(entry.record)} ${index.uid(entry.record)}`;
}

function describedFlat(entry: Flat): string {
  return `${entry.kind} ${entry.meta.mode} ${entry.meta.uid}`;
}

t.test('a stack shows what applying its layers one after another gives', async (t) => {
  for (let seed = 1; seed <= 400; seed++) {
    const random = new Random(seed);
    const oracle = new FlatTree();
    const everything = new Set<string>();
    const layers: LayerIndex[] = [];
    let uid = 1;
    for (let count = 5 + random.below(4); count > 0; count--) {
      const root = tree(randomLayer(random, oracle, () => uid++));
      oracle.apply(root);
      for (const path of oracle.entries.keys()) everything.add(path);
      layers.push(await LayerIndex.decode(await encodeIndex(root, { tarSize: 0 })));
    }
    const stack = new Stack(layers);
    const expected = oracle.paths().map((path) => [path, describedFlat(oracle.entries.get(path)!)]);

    const walked = Array.from(stack.walk(), ({ path, entry }) => [path, described(layers, entry)]);
    t.strictSame(walked, expected, `seed ${seed}: walk`);

    const looked = [...everything].map((path) => {
      const entry = stack.lookup(path as LayerPath);
      return [path, entry === null ? null : described(layers, entry)];
    });
    const there = [...everything].map((path) => {
      const entry = oracle.entries.get(path);
      return [path, entry === undefined ? null : describedFlat(entry)];
    });
    t.strictSame(looked, there, `seed ${seed}: lookup`);

    const listed = (path: LayerPath): unknown[] =>
      (stack.list(path) ?? []).flatMap((entry) => {
        const child = (path === '' ? entry.name : `${path}/${entry.name}`) as LayerPath;
        return [[child, described(layers, entry)], ...listed(child)];
      });
    t.strictSame(listed(rootPath), expected.slice(1), `seed ${seed}: list`);

    t.strictSame(
      linkGroups(stack).map(({ paths }) => paths),
      oracle.linkGroups(),
      `seed ${seed}: hardlinks`,
    );
  }
});
