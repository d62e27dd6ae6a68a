/** Views: read-only, as many as one likes. */
import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import type { Test } from 'tap';
import { bytes } from '../../lib/bytes.js';
import { lsetxattr, mknodat, AT_FDCWD, S_IFIFO } from '../../lib/sys/index.js';
import { device, directory, file, type Layer } from '../support/tarball.js';
import { readTree, treeText } from '../support/tree.js';
import type { Subject } from './subject.js';
import { Workspace, type Mounted } from './workspace.js';

const plan: Layer[] = [
  [directory('d'), file('d/f', 'text'), file('g', 'text')],
  [directory('empty'), device('char', 'null', 1, 3, { mode: 0o666 }), file('su', '', { mode: 0o4755 })],
];

const writes: Readonly<Record<string, (path: Mounted['path']) => void>> = {
  'write a file': (path) => writeFileSync(path('g'), 'x'),
  'write a new file': (path) => writeFileSync(path('new'), 'x'),
  truncate: (path) => truncateSync(path('g')),
  unlink: (path) => unlinkSync(path('g')),
  mkdir: (path) => mkdirSync(path('new')),
  rmdir: (path) => rmdirSync(path('empty')),
  rename: (path) => renameSync(path('g'), path('h')),
  link: (path) => linkSync(path('g'), path('h')),
  symlink: (path) => symlinkSync('g', path('h')),
  chmod: (path) => chmodSync(path('g'), 0o600),
  'set times': (path) => lutimesSync(path('d'), 1, 1),
  setxattr: (path) => lsetxattr(bytes(path('g')), bytes('user.x'), Buffer.from('1')),
  mknod: (path) => mknodat(AT_FDCWD, bytes(path('pipe')), S_IFIFO | 0o600),
};

export async function views(t: Test, subject: Subject): Promise<void> {
  await using workspace = await Workspace.create(subject);
  const image = await workspace.importImage(...plan);
  const expected = treeText(workspace.expected(plan));

  await t.test('nothing can be written', async (t) => {
    await workspace.mounted(image, { readOnly: true }, ({ at, path, snapshot }) => {
      t.equal(snapshot, '', 'there is no snapshot');
      for (const [name, write] of Object.entries(writes))
        t.throws(() => write(path), { code: 'EROFS' }, name);
      t.equal(treeText(readTree(at)), expected);
    });
    t.same(await workspace.store.snapshots(), []);
  });

  await t.test('one image in several places, and beside its snapshots', async (t) => {
    const [one, two] = [
      await workspace.mount(image, { readOnly: true }),
      await workspace.mount(image, { readOnly: true }),
    ];
    await workspace.mounted(image, { snapshot: 'writer' }, ({ path }) => {
      writeFileSync(path('g'), 'changed');
      unlinkSync(path('d', 'f'));
      for (const { at } of [one, two]) t.equal(treeText(readTree(at)), expected);
    });
    t.equal((await workspace.store.mounts()).length, 2);
    await workspace.store.unmount(one.at);
    t.equal(treeText(readTree(two.at)), expected, 'the other stays');
    await workspace.store.unmount(two.at);
  });

  await t.test('nodev and nosuid', async (t) => {
    for (const readOnly of [true, false]) {
      await workspace.mounted(image, { readOnly, nodev: true, nosuid: true }, ({ at, path }) => {
        t.throws(() => openSync(path('null'), 'r'), { code: 'EACCES' }, 'a device cannot be opened');
        const table = readFileSync('/proc/self/mountinfo', 'latin1');
        const options = table
          .split('\n')
          .find((line) => line.split(' ')[4] === at)
          ?.split(' ')[5]
          ?.split(',');
        t.ok(options?.includes('nosuid') === true && options.includes('nodev'), (options ?? []).join(','));
        t.equal(options?.includes('ro'), readOnly);
      });
    }
  });
}
