import t from 'tap';
import { linkGroups } from '../../../lib/union/link-groups.js';
import { Stack } from '../../../lib/union/stack.js';
import { file, hardlink, indexOf, lowerHardlink, whiteout, type Plan } from '../../support/layer-nodes.js';

async function groups(...layers: Record<string, Plan>[]): Promise<unknown> {
  const stack = new Stack(await Promise.all(layers.map((plans) => indexOf(plans))));
  return linkGroups(stack).map(({ layer, paths }) => [layer, ...paths]);
}

const linked = { b: file(), a: hardlink('b'), 'c/d': hardlink('b'), e: file(), f: hardlink('e') };

t.test('the names of one inode that show', async (t) => {
  t.strictSame(
    await groups(linked),
    [
      [0, 'a', 'b', 'c/d'],
      [0, 'e', 'f'],
    ],
    'all',
  );
  t.strictSame(
    await groups(linked, { b: file(), f: whiteout() }),
    [[0, 'a', 'c/d']],
    'but for hidden names, the first one among them',
  );
  t.strictSame(
    await groups(linked, { 'c/d': whiteout(), a: file(), f: whiteout() }),
    [],
    'a name left alone',
  );
  t.strictSame(
    await groups({ x: file() }, { y: lowerHardlink('x') }, { z: lowerHardlink('y') }),
    [[0, 'x', 'y', 'z']],
    'across layers',
  );
  t.strictSame(
    await groups({ x: file(), y: hardlink('x') }, { x: file(), y: hardlink('x') }),
    [[1, 'x', 'y']],
    'the same record numbers in another layer are another inode',
  );
});
