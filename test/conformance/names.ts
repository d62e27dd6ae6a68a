/** Names as bytes, long paths, and stores and mount points with awkward paths. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { eventually } from '../support/eventually.js';
import { directory, file, hardlink, symlink, whiteout, type Layer } from '../support/tarball.js';
import { StoreProcess } from '../support/store-process.js';
import { readTree, treeText } from '../support/tree.js';
import { testCases, type Case } from './cases.js';
import type { Subject } from './subject.js';
import { Workspace } from './workspace.js';

const long = 'n'.repeat(255);

const awkward: Readonly<Record<string, string>> = {
  spaces: ' a  b ',
  'a colon, a comma, an equals sign': 'a:b,c=d',
  'a backslash': 'a\\b\\\\c\\134',
  'a newline and a tab': 'a\nb\tc',
  'an escape sequence': '\x1b[31m',
  'quotes and a dollar': `'"$HOME`,
  UTF8: '\xc3\xa9\xe6\x96\x87',
  'no UTF-8': '\xff\xfe\x80',
  'latin1 and UTF-8 of one letter': '\xe9',
  '255 bytes': long,
  'dots in front': '...a',
  'like a whiteout': '.wh',
  'a dash': '-rf',
  'a glob': '*?[a]',
  'bytes from 1 to 31': Buffer.from(Array.from({ length: 31 }, (_, i) => i + 1)).toString('latin1'),
};

/** As a file, directory, target, hardlink, whiteout; and below a directory without an entry. */
function layersOf(name: string): Layer[] {
  return [
    [
      ...[
        file(`f/${name}`, 'low'),
        file(`w/${name}`, 'low'),
        directory(`d/${name}`),
        file(`d/${name}/f`, 'low'),
      ],
      ...[symlink(name, `l/${name}`), symlink(`/d/${name}`, 'through'), hardlink(`f/${name}`, `h/${name}`)],
    ],
    [
      whiteout(`w/${name}`),
      file(`d/${name}/g`, 'new'),
      file('through/x', 'x'),
      hardlink(`f/${name}`, `h/again`),
    ],
  ];
}

function printable(name: string): string {
  return name.replace(/[^\x20-\x7e]|\\/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

const cases: readonly Case[] = Object.entries(awkward).map(([title, name]) => {
  const n = printable(name);
  const names = [name, 'again'].sort();
  const [first, last] = names.map(printable);
  return {
    name: title,
    layers: layersOf(name),
    shows: [
      ...['d/', `d/${n}/`, `d/${n}/f: low`, `d/${n}/g: new`, `d/${n}/x: x`],
      ...['f/', `f/${n}: low`, 'h/', `h/${first} = f/${n}`, `h/${last} = f/${n}`],
      ...['l/', `l/${n} -> ${n}`, `through -> /d/${n}`, 'w/'],
    ],
  };
});

/** A path of more than PATH_MAX bytes: nothing can name it in one call. */
const deep = Array.from({ length: 20 }, (_, i) => `${i}-${'d'.repeat(240)}`).join('/');

const places: Readonly<Record<string, string>> = {
  'more than 300 bytes': join('a'.repeat(150), 'b'.repeat(150), 'c'.repeat(150)),
  'a space, a colon, a comma and a backslash': 'a b:c,d\\e',
  'a newline': 'a\nb',
  'letters beyond ASCII': 'stör 文',
};

export async function names(t: Test, subject: Subject): Promise<void> {
  await testCases(t, subject, [
    ...cases,
    {
      name: 'names that differ in case or in Unicode form only are different names',
      layers: [[file('a', '1'), file('A', '2'), file('\xc3\xa9', '3'), file('e\xcc\x81', '4')]],
      shows: ['A: 2', 'a: 1', 'e\\xcc\\x81: 4', '\\xc3\\xa9: 3'],
    },
  ]);

  await t.test('a path of 5,000 bytes: files, links and changes', async (t) => {
    await using workspace = await Workspace.create(subject);
    const layers = [
      [file(`${deep}/a`, 'a'), hardlink(`${deep}/a`, `${deep}/b`), directory(`${deep}/d`), file('top')],
      [file(`${deep}/d/c`, 'c'), hardlink(`${deep}/b`, `${deep}/z`)],
    ];
    const image = await workspace.importImage(...layers);
    const view = treeText(await workspace.view(image));
    t.match(view, /\/z file .* = /);
    t.equal(view.split('\n').length, 1 + 20 + 3 + 2 + 1);
    t.equal(treeText(await workspace.snapshot(image)), view);
  });

  for (const [title, place] of Object.entries(places)) {
    await t.test(`store and mount point with ${title} in their paths`, async (t) => {
      const open = (root: string): ReturnType<Subject['open']> => {
        mkdirSync(join(root, '..'), { recursive: true });
        return subject.open(root);
      };
      await using workspace = await Workspace.create({ open }, join(place, 'store'));
      const layers = [[file('a', 'a')], [file('b', 'b')], [directory('', { mode: 0o711 })]];
      const image = await workspace.importImage(...layers);
      const expected = treeText(workspace.expected(layers));
      const at = join(workspace.directory, place, 'mnt');
      mkdirSync(at);
      await workspace.store.mount(image, at, { readOnly: true });
      t.equal(treeText(readTree(at)), expected, 'a view');
      t.match(await workspace.store.mounts(), [{ mountpoint: at, elsewhere: false }]);
      await workspace.store.unmount(at);
      await workspace.store.mount(image, at, { snapshot: 's' });
      t.equal(treeText(readTree(at)), expected, 'a snapshot');

      await using other = await StoreProcess.keepNamespace();
      await workspace.store.unmount(at);
      t.match(await workspace.store.mounts(), [{ mountpoint: at, snapshot: 's', elsewhere: true }]);
      await t.rejects(workspace.store.mount(null, at, { snapshot: 's' }), { code: 'IN_USE' });
      await other.kill('SIGKILL');
      const again = await eventually(() => workspace.snapshot(null, 's'));
      t.equal(treeText(again), expected, 'mounted again');
    });
  }
}
