/** The oracle, before it judges: by itself, and beside umoci. */
import { join } from 'node:path';
import t from 'tap';
import { removeTree } from '../../lib/fs/remove.js';
import { writeLayout } from '../support/oci.js';
import { needsRoot } from '../support/privilege.js';
import { makeScratchDirectory } from '../support/scratch.js';
import { directory, file, hardlink, opaque, symlink, whiteout, type Member } from '../support/tarball.js';
import { lacking, tool } from '../support/tools.js';
import { readTree, treeOutline, treeText } from '../support/tree.js';
import { randomImage } from './model.js';
import { Oracle } from './oracle.js';
import { mkdirSync } from 'node:fs';

t.test('what it refuses, it does not begin', { skip: needsRoot }, async (t) => {
  const root = makeScratchDirectory();
  t.teardown(() => removeTree(root));
  const oracle = new Oracle(root).apply([
    ...[directory('d'), file('d/f', 'text'), symlink('loop', 'loop'), symlink('d', 'l'), whiteout('none')],
  ]);
  const before = treeText(readTree(root));
  const refused: Readonly<Record<string, Member>> = {
    'a link to nothing': hardlink('none', 'x/y'),
    'a link to a directory': hardlink('d', 'x'),
    'a link to itself': hardlink('d/f', 'd/f'),
    'a link to itself by another way': hardlink('l/f', 'd/f'),
    'a link in the place of the directory that its target is in': hardlink('d/f', 'd'),
    'a link below its target': hardlink('d/f', 'd/f/x'),
    'a path through a loop': file('loop/x'),
    'a whiteout through a loop': whiteout('loop/x'),
    'an opaque marker in a loop': opaque('loop'),
  };
  for (const [name, member] of Object.entries(refused)) {
    oracle.beginLayer();
    t.equal(oracle.put(member), false, name);
  }
  oracle.finish();
  t.equal(treeText(readTree(root)), before);
});

t.test(
  'random images come out as umoci unpacks them',
  { skip: needsRoot || (await lacking('umoci')) },
  async (t) => {
    const root = makeScratchDirectory();
    t.teardown(() => removeTree(root));
    for (let seed = 1; seed <= 40; seed++) {
      const path = (name: string): string => join(root, `${seed}-${name}`);
      mkdirSync(path('plain'));
      // Before 0.5 umoci fails where others make a directory of a file.
      const { layers } = randomImage(seed, path('plain'), { fileParents: 'refuse' });
      writeLayout(path('image'), [{ tag: 'x', layers }]);
      await tool('umoci', 'unpack', '--image', `${path('image')}:x`, path('bundle'));
      // Attributes of directories without entries are what umoci's process has at the time.
      const unpacked = treeOutline(readTree(join(path('bundle'), 'rootfs')));
      t.same(treeOutline(readTree(path('plain'))), unpacked, `seed ${seed}`);
    }
  },
);
