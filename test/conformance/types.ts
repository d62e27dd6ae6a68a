/** What can be at a path, and what replaces what. */
import { statSync } from 'node:fs';
import type { Test } from 'tap';
import type { Warning } from '../../index.js';
import { device, directory, fifo, file, hardlink, sparse, symlink, type Member } from '../support/tarball.js';
import { testCases, type Case } from './cases.js';
import type { Subject } from './subject.js';
import { Workspace } from './workspace.js';

interface Kind {
  members(path: string): Member[];
  shows(path: string): string[];
}

const kinds: Readonly<Record<string, Kind>> = {
  file: { members: (path) => [file(path, 'text')], shows: (path) => [`${path}: text`] },
  directory: {
    members: (path) => [directory(path, { mode: 0o1777 }), file(`${path}/in`, 'in')],
    shows: (path) => [`${path}/`, `${path}/in: in`],
  },
  'directory without an entry': {
    members: (path) => [file(`${path}/in`, 'in')],
    shows: (path) => [`${path}/`, `${path}/in: in`],
  },
  symlink: { members: (path) => [symlink('/else', path)], shows: (path) => [`${path} -> /else`] },
  fifo: { members: (path) => [fifo(path)], shows: (path) => [`${path} p`] },
  'character device': { members: (path) => [device('char', path, 1, 3)], shows: (path) => [`${path} c 1:3`] },
  'block device': { members: (path) => [device('block', path, 0, 0)], shows: (path) => [`${path} b 0:0`] },
  hardlink: { members: (path) => [hardlink('a', path)], shows: (path) => [`${path} = a`] },
};

const first = file('a', 'first');

/** Each kind in the place of each other, a path for each. */
const pairs = Object.entries(kinds)
  .flatMap(([oldName, old]) =>
    Object.entries(kinds).map(([newName, now]) => ({ path: `p ${oldName}, ${newName}`, old, now })),
  )
  // Without an entry for it in between, a symlink is followed and a directory added to.
  .filter(({ now }) => now !== kinds['directory without an entry'])
  .sort((a, b) => (a.path < b.path ? -1 : 1));

const replaced = ['a: first', ...pairs.flatMap(({ now, path }) => now.shows(path))];

const cases: readonly Case[] = [
  {
    name: 'every kind in the place of every other, in a later layer',
    layers: [
      [first, ...pairs.flatMap(({ old, path }) => old.members(path))],
      pairs.flatMap(({ now, path }) => now.members(path)),
    ],
    shows: replaced,
  },
  {
    name: 'every kind in the place of every other, in one layer',
    layers: [[first, ...pairs.flatMap(({ old, now, path }) => [...old.members(path), ...now.members(path)])]],
    shows: replaced,
  },
  ...['file', 'fifo', 'character device', 'block device', 'hardlink'].map((name): Case => ({
    name: `a path below a ${name} makes it a directory, in one layer`,
    layers: [[first, ...(kinds[name]?.members('p') ?? []), file('p/x/y', 'y')]],
    shows: ['a: first', 'p/', 'p/x/', 'p/x/y: y'],
  })),
  {
    name: 'a path below a symlink to a file makes the file a directory',
    layers: [[file('f', 'file'), symlink('f', 'l'), file('l/x', 'x')]],
    shows: ['f/', 'f/x: x', 'l -> f'],
  },
  {
    name: 'a directory over a directory keeps what is in it',
    layers: [
      [directory('d'), file('d/a', 'a')],
      [directory('d', { mode: 0o700 }), file('d/b', 'b')],
    ],
    shows: ['d/', 'd/a: a', 'd/b: b'],
  },
  {
    name: 'a directory over a symlink to a directory replaces the link (moby: no --keep-directory-symlink)',
    layers: [
      [directory('real'), file('real/a', 'a'), symlink('real', 'l')],
      [directory('l'), file('l/b', 'b')],
    ],
    shows: ['l/', 'l/b: b', 'real/', 'real/a: a'],
  },
  {
    name: 'a symlink over a directory takes away all that is in it',
    layers: [[directory('d/e/f'), file('d/e/f/a'), directory('t')], [symlink('t', 'd')]],
    shows: ['d -> t', 't/'],
  },
  {
    name: 'an empty file, an empty directory, a symlink to itself, a symlink to nothing',
    layers: [[file('f'), directory('d'), symlink('l', 'l'), symlink('nothing', 'm')]],
    shows: ['d/', 'f', 'l -> l', 'm -> nothing'],
  },
  {
    name: 'the last of several entries of one path counts',
    layers: [
      [file('f', '1'), file('f', '2'), directory('f'), file('f', '3'), symlink('x', 'f'), file('f', '4')],
    ],
    shows: ['f: 4'],
  },
  {
    name: 'sparse files: a hole at the beginning, in between, at the end, nothing but a hole',
    layers: [
      [
        sparse('begin', 20_000, [{ offset: 19_995, data: Buffer.from('tail\n') }]),
        sparse('between', 30_000, [
          { offset: 0, data: Buffer.from('head') },
          { offset: 29_996, data: Buffer.from('tail') },
        ]),
        sparse('end', 40_000, [{ offset: 0, data: Buffer.from('head') }]),
        sparse('hole', 50_000, []),
      ],
    ],
    shows: [
      `begin: ${'\\x00'.repeat(40)}`,
      `between: head${'\\x00'.repeat(36)}`,
      `end: head${'\\x00'.repeat(36)}`,
      `hole: ${'\\x00'.repeat(40)}`,
    ],
  },
];

export async function types(t: Test, subject: Subject): Promise<void> {
  await testCases(t, subject, cases);

  await t.test('a sparse file of 9 GiB takes the space of its data', async (t) => {
    await using workspace = await Workspace.create(subject);
    const size = 9 * 2 ** 30;
    const image = await workspace.importImage([
      sparse('big', size, [{ offset: size - 10, data: Buffer.from('ten bytes.') }]),
    ]);
    for (const readOnly of [true, false]) {
      await workspace.mounted(image, { readOnly }, ({ path }) => {
        const status = statSync(path('big'));
        t.equal(status.size, size);
        t.ok(status.blocks * 512 < 1024 * 1024, `${status.blocks} blocks`);
      });
    }
  });

  await t.test(
    'a character device 0/0 in a tar is no whiteout: it is left out, with a warning',
    async (t) => {
      await using workspace = await Workspace.create(subject);
      const warnings: Warning[] = [];
      const layers = [[file('f', 'low')], [device('char', 'f', 0, 0), file('g', 'g')]];
      await workspace.import([{ tag: 'zero', layers }], { onWarning: (warning) => warnings.push(warning) });
      t.match(warnings, [{ code: 'device-zero', message: /f/ }]);
      const view = await workspace.view('test:zero');
      t.same(
        view.map(({ path }) => path),
        ['', 'f', 'g'],
      );
    },
  );
}
