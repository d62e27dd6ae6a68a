/** A layer's entries, and the tree that they come to. */
import t from 'tap';
import { bytes, type LayerPath } from '../../../lib/bytes.js';
import { LayerfsError } from '../../../lib/errors.js';
import type { Entry } from '../../../lib/layer/entry.js';
import { emptyLower, type Lower, type LowerNode } from '../../../lib/layer/lower.js';
import { LayerTree } from '../../../lib/layer/tree.js';
import { MemoryDisk, outline, treeLines } from '../../support/layer-tree.js';
import { meta } from '../../support/layer-nodes.js';
import { Random } from '../../support/random.js';

const path = (text: string): LayerPath => text as LayerPath;
const file = (at: string, uid = 0, size = 1): Entry => ({
  ...{ kind: 'file', path: path(at), meta: meta({ uid }) },
  ...{ size, extents: null },
});
const directory = (at: string, uid = 0): Entry => ({
  kind: 'directory',
  path: path(at),
  meta: meta({ uid }),
});
const symlink = (target: string, at: string): Entry => ({
  ...{ kind: 'symlink', path: path(at), meta: meta() },
  target: bytes(target),
});
const fifo = (at: string): Entry => ({ kind: 'fifo', path: path(at), meta: meta() });
const device = (at: string): Entry => ({ kind: 'char', path: path(at), meta: meta(), major: 1, minor: 3 });
const hardlink = (target: string, at: string): Entry => ({
  ...{ kind: 'hardlink', path: path(at) },
  target: path(target),
});
const whiteout = (at: string): Entry => ({ kind: 'whiteout', path: path(at) });
const opaque = (at: string): Entry => ({ kind: 'opaque', path: path(at) });

/** What is below, written down as `path: what`: a uid for a directory, `file`, `-> target`, or `= path` for one more name. */
type Below = Readonly<Record<string, number | string>>;

function lowerOf(below: Below): Lower {
  const names = (of: string): LayerPath[] =>
    [of, ...Object.keys(below).filter((other) => below[other] === `= ${of}`)].map(path);
  return {
    lookup(at): LowerNode | null {
      const what = below[at];
      if (what === undefined) return null;
      if (typeof what === 'number') return { kind: 'directory', meta: meta({ uid: what }) };
      if (what.startsWith('-> ')) {
        const target = bytes(what.slice(3));
        return { kind: 'inode', inode: { kind: 'symlink', meta: meta(), target }, names: () => [at] };
      }
      const first = what.startsWith('= ') ? what.slice(2) : at;
      const data = { size: 5, extents: null, contentHash: 7n, dataOffset: 512 };
      return {
        kind: 'inode',
        inode: { kind: 'file', meta: meta({ uid: 99 }), ...data },
        names: () => names(first),
      };
    },
  };
}

interface Case {
  readonly name: string;
  readonly entries: readonly Entry[];
  /** As `outline` writes it. */
  readonly shows: readonly string[];
  /** null: not known. Default: nothing. */
  readonly below?: Below | null;
  /** Default: false. */
  readonly dependsOnLower?: boolean;
  readonly dataReplaced?: boolean;
}

const cases: readonly Case[] = [
  { name: 'an empty layer', entries: [], shows: [] },
  {
    name: 'one of each kind',
    entries: [
      directory('d', 1),
      file('d/f', 2),
      symlink('/x', 'd/s'),
      fifo('p'),
      device('c'),
      hardlink('d/f', 'h'),
    ],
    shows: ['c char', 'd/ uid=1', 'd/f uid=2', 'd/s -> /x', 'h = d/f', 'p fifo'],
  },

  // Replacing.
  {
    name: 'the last of two files counts',
    entries: [file('f', 1), file('f', 2)],
    shows: ['f uid=2'],
    dataReplaced: true,
  },
  {
    name: 'an empty file that is replaced loses no data',
    entries: [file('f', 1, 0), file('f', 2)],
    shows: ['f uid=2'],
  },
  {
    name: 'a directory over a directory: new attributes, old contents',
    entries: [directory('d', 1), file('d/f'), directory('d', 2)],
    shows: ['d/ uid=2', 'd/f'],
  },
  {
    name: 'a file over a directory takes all that is in it',
    entries: [directory('d'), file('d/e/f'), file('d', 2)],
    shows: ['d uid=2'],
    dependsOnLower: true,
    dataReplaced: true,
  },
  {
    name: 'a directory over a file hides what is below',
    entries: [file('d', 1, 0), directory('d', 2)],
    shows: ['d/ opaque uid=2'],
  },
  {
    name: 'a symlink over a directory, a directory over the symlink',
    entries: [directory('d'), fifo('d/p'), symlink('x', 'd'), directory('d', 3)],
    shows: ['d/ opaque uid=3'],
  },

  // The root.
  { name: 'an entry for the root', entries: [directory('', 5)], shows: [] },
  {
    name: 'an opaque root drops whiteouts',
    entries: [whiteout('a'), opaque(''), whiteout('b'), file('c')],
    shows: ['c'],
  },

  // Whiteouts and opaque directories.
  { name: 'a whiteout', entries: [whiteout('f')], shows: ['f whiteout'] },
  { name: 'a whiteout twice', entries: [whiteout('f'), whiteout('f')], shows: ['f whiteout'] },
  { name: 'a whiteout, then its file', entries: [whiteout('f'), file('f', 1)], shows: ['f uid=1'] },
  { name: 'a file, then its whiteout', entries: [file('f', 1), whiteout('f')], shows: ['f uid=1'] },
  {
    name: 'a whiteout, then a directory in its place',
    entries: [whiteout('d'), directory('d', 1)],
    shows: ['d/ opaque uid=1'],
  },
  {
    name: 'a directory, then its whiteout',
    entries: [directory('d', 1), file('d/f'), whiteout('d')],
    shows: ['d/ opaque uid=1', 'd/f'],
  },
  {
    name: 'a whiteout of a directory without an entry: it is a new one, whatever comes first',
    below: { d: 4 },
    entries: [file('d/f'), whiteout('d')],
    shows: ['d/ opaque', 'd/f'],
    dependsOnLower: true,
  },
  {
    name: 'the other way round',
    below: { d: 4 },
    entries: [whiteout('d'), file('d/f')],
    shows: ['d/ opaque', 'd/f'],
  },
  {
    name: 'an opaque marker, before and after what is in the directory',
    entries: [directory('d'), whiteout('d/a'), file('d/b'), opaque('d'), whiteout('d/c')],
    shows: ['d/ opaque', 'd/b'],
  },
  {
    name: 'an opaque marker for a directory without an entry keeps the attributes of the one below',
    below: { d: 4 },
    entries: [opaque('d'), file('d/f')],
    shows: ['d/ opaque implied uid=4', 'd/f'],
    dependsOnLower: true,
  },
  {
    name: 'whiteouts deep below an opaque directory, in both orders',
    entries: [directory('d'), directory('d/e'), whiteout('d/e/x'), opaque('d'), whiteout('d/e/y')],
    shows: ['d/ opaque', 'd/e/'],
  },
  {
    name: 'a directory without an entry below an opaque one is a new one, whatever comes first',
    below: { d: 4, 'd/e': 5 },
    entries: [directory('d', 1), file('d/e/f'), opaque('d'), file('d/g/h')],
    shows: ['d/ opaque uid=1', 'd/e/', 'd/e/f', 'd/g/', 'd/g/h'],
    dependsOnLower: true,
  },
  {
    name: 'a whiteout in a directory that is not there',
    below: { d: 4 },
    entries: [whiteout('none/f'), opaque('none'), whiteout('d/f')],
    shows: ['d/ implied uid=4', 'd/f whiteout'],
    dependsOnLower: true,
  },
  {
    name: 'the same when it is not known what is there',
    below: null,
    entries: [whiteout('none/f')],
    shows: ['none/ implied', 'none/f whiteout'],
    dependsOnLower: true,
  },
  {
    name: 'a whiteout below a file, below a whiteout, below an opaque directory: nothing',
    below: { d: 1, e: 1, 'e/x': 1, f: 1 },
    entries: [
      whiteout('d'),
      whiteout('d/a'),
      file('f'),
      whiteout('f/a'),
      directory('e'),
      opaque('e'),
      whiteout('e/x/a'),
    ],
    shows: ['d whiteout', 'e/ opaque', 'f'],
  },
  {
    name: 'a whiteout of a directory that is there for a whiteout only',
    below: { d: 4, 'd/e': 4 },
    entries: [whiteout('d/e/f'), whiteout('d')],
    shows: ['d whiteout'],
    dependsOnLower: true,
  },

  // Directories without entries.
  {
    name: 'parents without entries, with nothing below',
    entries: [file('a/b/c/f')],
    shows: ['a/ implied', 'a/b/ implied', 'a/b/c/ implied', 'a/b/c/f'],
    dependsOnLower: true,
  },
  {
    name: 'parents without entries look like those below',
    below: { a: 1, 'a/b': 2 },
    entries: [file('a/b/c/f')],
    shows: ['a/ implied uid=1', 'a/b/ implied uid=2', 'a/b/c/ implied', 'a/b/c/f'],
    dependsOnLower: true,
  },
  {
    name: 'nor like those that are hidden',
    below: { a: 1, 'a/b': 2 },
    entries: [whiteout('a/b'), file('a/b/f')],
    shows: ['a/ implied uid=1', 'a/b/ opaque', 'a/b/f'],
    dependsOnLower: true,
  },
  {
    name: 'an entry that follows what is in it: on other layers the parent could have been a symlink',
    entries: [file('d/f'), directory('d', 3)],
    shows: ['d/ uid=3', 'd/f'],
    dependsOnLower: true,
  },

  // Parents that are no directories.
  {
    name: 'a parent that is a file, a fifo, a device: it becomes a directory (umoci)',
    entries: [file('a', 1, 0), file('a/f'), fifo('b'), file('b/f'), device('c'), file('c/f')],
    shows: ['a/ opaque', 'a/f', 'b/ opaque', 'b/f', 'c/ opaque', 'c/f'],
  },
  {
    name: 'a parent that is a file below',
    below: { a: 'file' },
    entries: [file('a/f')],
    shows: ['a/ implied', 'a/f'],
    dependsOnLower: true,
  },

  // Symlinks in parents.
  {
    name: 'through a symlink of the layer: relative, absolute, out of the root, to nowhere',
    entries: [
      ...[
        directory('d'),
        symlink('d', '1'),
        symlink('/d', '2'),
        symlink('../../../d', '3'),
        symlink('e', '4'),
      ],
      ...[file('1/a'), file('2/b'), file('3/c'), file('4/f')],
    ],
    shows: [
      ...['1 -> d', '2 -> /d', '3 -> ../../../d', '4 -> e'],
      ...['d/', 'd/a', 'd/b', 'd/c', 'e/ implied', 'e/f'],
    ],
    dependsOnLower: true,
  },
  {
    name: 'a symlink as the last component is not followed',
    entries: [directory('d'), symlink('d', 'l'), symlink('x', 'l'), directory('m'), symlink('d', 'm')],
    shows: ['d/', 'l -> x', 'm -> d'],
  },
  {
    name: 'through a symlink below, also one in a directory of this layer',
    below: { d: 1, l: '-> d', 'd/m': '-> ../d' },
    entries: [file('l/a'), directory('d', 2), file('d/m/b'), whiteout('l/c'), opaque('d/m')],
    shows: ['d/ opaque uid=2', 'd/a', 'd/b'],
    dependsOnLower: true,
  },
  {
    name: 'a symlink below that this layer hides is followed no more',
    below: { d: 1, l: '-> d' },
    entries: [whiteout('l'), file('l/a')],
    shows: ['l/ opaque', 'l/a'],
  },
  {
    name: 'while it is not known what is below, a parent is taken for a directory',
    below: null,
    entries: [file('l/a')],
    shows: ['l/ implied', 'l/a'],
    dependsOnLower: true,
  },
  {
    name: 'a directory that is replaced by a symlink, and written through (CVE-2025-47290)',
    entries: [directory('d'), file('d/f', 0, 0), directory('e'), symlink('e', 'd'), file('d/f', 2)],
    shows: ['d -> e', 'e/', 'e/f uid=2'],
  },

  // Hardlinks.
  {
    name: 'links to links, and the first name goes: the next one has the file',
    entries: [file('a', 7), hardlink('a', 'b'), hardlink('b', 'c'), file('a', 8)],
    shows: ['a uid=8', 'b uid=7', 'c = b'],
  },
  {
    name: 'the first name goes with its directory',
    entries: [directory('d'), file('d/a', 7), hardlink('d/a', 'b'), hardlink('d/a', 'd/c'), fifo('d')],
    shows: ['b uid=7', 'd fifo'],
  },
  {
    name: 'a link that is there already',
    entries: [file('a'), hardlink('a', 'b'), hardlink('b', 'a'), hardlink('a', 'b')],
    shows: ['a', 'b = a'],
  },
  {
    name: 'a link that replaces the directory of the first name: by another name the file is still there',
    entries: [directory('d'), file('d/a', 7), hardlink('d/a', 'b'), hardlink('b', 'd')],
    shows: ['b uid=7', 'd = b'],
  },
  {
    name: 'to a symlink: the link itself',
    entries: [file('f'), symlink('f', 'l'), hardlink('l', 'm')],
    shows: ['f', 'l -> f', 'm = l'],
  },
  {
    name: 'to a file below: it is copied',
    below: { low: 'file' },
    entries: [hardlink('low', 'h')],
    shows: ['h = low', 'low uid=99'],
    dependsOnLower: true,
  },
  {
    name: 'to a file below, with all of its names that can be seen',
    below: { low: 'file', d: 3, 'd/x': '= low', e: 4, 'e/y': '= low', z: '= low' },
    entries: [whiteout('z'), directory('e', 5), opaque('e'), hardlink('d/x', 'h')],
    shows: ['d/ implied uid=3', 'd/x uid=99', 'e/ opaque uid=5', 'h = d/x', 'low = d/x', 'z whiteout'],
    dependsOnLower: true,
  },
  {
    name: 'copied names are hidden by marks that follow',
    below: { low: 'file', d: 3, 'd/x': '= low', e: 4, 'e/y': '= low' },
    entries: [hardlink('low', 'h'), whiteout('low'), opaque('d'), whiteout('e')],
    shows: ['d/ opaque implied uid=3', 'e whiteout', 'h uid=99', 'low whiteout'],
    dependsOnLower: true,
  },
  {
    name: 'a copied name is replaced',
    below: { low: 'file' },
    entries: [hardlink('low', 'h'), file('low', 1)],
    shows: ['h uid=99', 'low uid=1'],
    dependsOnLower: true,
  },
  {
    name: 'to what is not known',
    below: null,
    entries: [hardlink('low', 'h'), hardlink('h', 'i')],
    shows: ['h = below low', 'i = below low'],
    dependsOnLower: true,
  },
  {
    name: 'while it is not known what is below, what looks wrong is not refused: d may be a symlink to a directory',
    below: null,
    entries: [file('d/f'), hardlink('d', 'h')],
    shows: ['d/ implied', 'd/f'],
    dependsOnLower: true,
  },
];

for (const { name, below = {}, entries, shows, dependsOnLower = false, dataReplaced = false } of cases) {
  t.test(name, async (t) => {
    const disk = new MemoryDisk();
    const tree = new LayerTree(disk, below === null ? null : lowerOf(below));
    for (const entry of entries) tree.put(entry, 0);
    t.same(outline(tree.root), shows);
    t.same(disk.lines(), treeLines(tree.root), 'the disk holds the same');
    t.equal(tree.dependsOnLower, dependsOnLower, 'dependsOnLower');
    t.equal(tree.dataReplaced, dataReplaced, 'dataReplaced');
  });
}

t.test('refused entries', async (t) => {
  const refused: Readonly<Record<string, { before?: readonly Entry[]; entry: Entry; below?: Below }>> = {
    'a file as the root': { entry: file('') },
    'a symlink as the root (CVE-2021-29136)': { entry: symlink('/', '') },
    'a whiteout of the root': { entry: whiteout('') },
    'a link to nothing': { entry: hardlink('none', 'h') },
    'a link to what the layer has hidden': {
      below: { low: 'file' },
      before: [whiteout('low')],
      entry: hardlink('low', 'h'),
    },
    'a link to a directory': { before: [directory('d')], entry: hardlink('d', 'h') },
    'a link to a directory below': { below: { d: 1 }, entry: hardlink('d', 'h') },
    'a link to itself': { before: [file('f')], entry: hardlink('f', 'f') },
    'a link to itself by another way': {
      before: [directory('d'), file('d/f'), symlink('d', 'l')],
      entry: hardlink('l/f', 'd/f'),
    },
    'a link in the place of the directory of its target': {
      before: [file('d/f')],
      entry: hardlink('d/f', 'd'),
    },
    'a link below its target': { before: [file('f')], entry: hardlink('f', 'f/g') },
    'a link below a file': { before: [file('f')], entry: hardlink('f/g', 'h') },
    'a path through a loop': { before: [symlink('b', 'a'), symlink('a', 'b')], entry: file('a/f') },
    'a target through a loop': { before: [symlink('a', 'a')], entry: hardlink('a/f', 'h') },
    'a path through a loop below': { below: { a: '-> a' }, entry: file('a/f') },
  };
  for (const [name, { before = [], entry, below = {} }] of Object.entries(refused)) {
    const tree = new LayerTree(new MemoryDisk(), lowerOf(below));
    for (const other of before) tree.put(other, 0);
    t.throws(() => tree.put(entry, 0), { name: 'LayerfsError', code: 'ENTRY_INVALID' }, name);
  }
});

t.test('40 symlinks are followed, 41 are not (the kernel)', async (t) => {
  const chain = (length: number): LayerTree => {
    const tree = new LayerTree(new MemoryDisk(), emptyLower);
    tree.put(directory('s0'), 0);
    for (let i = 1; i <= length; i++) tree.put(symlink(`s${i - 1}`, `s${i}`), 0);
    return tree;
  };
  t.ok(chain(40).put(file('s40/f'), 0));
  t.throws(() => chain(41).put(file('s41/f'), 0), { code: 'ENTRY_INVALID' });
});

t.test('put returns the node of a file, for the data that follow', async (t) => {
  const tree = new LayerTree(new MemoryDisk(), emptyLower);
  t.match(tree.put(file('f', 3, 9), 512), { kind: 'file', name: 'f', size: 9, dataOffset: 512 });
  for (const entry of [
    directory('d'),
    fifo('p'),
    hardlink('f', 'h'),
    whiteout('w'),
    opaque('d'),
    symlink('f', 's'),
  ]) {
    t.equal(tree.put(entry, 0), null, entry.kind);
  }
});

t.test('whatever entries come, the disk holds what the tree says', async (t) => {
  const names = ['a', 'b', 'c'];
  for (let seed = 1; seed <= 3000; seed++) {
    const random = new Random(seed);
    const at = (): string => {
      let text = random.pick(names);
      while (text.length < 7 && random.chance(0.5)) text += `/${random.pick(names)}`;
      return text;
    };
    const below: Record<string, number | string> = {};
    for (const name of names) {
      below[name] = random.pick([1, 2, 'file', '= a', '-> b', '-> /c/a']);
      for (const inner of names)
        if (below[name] === 1) below[`${name}/${inner}`] = random.pick([3, 'file', '= a', '-> ../b']);
    }
    if (below['a'] !== 'file')
      for (const key of Object.keys(below)) if (below[key] === '= a') below[key] = 'file';
    const disk = new MemoryDisk();
    const tree = new LayerTree(disk, random.pick([null, emptyLower, lowerOf(below)]));
    for (let i = random.below(14); i >= 0; i--) {
      const entry = random.pick([
        ...[
          file(at()),
          directory(at()),
          symlink(random.pick(['/a', '../b', 'c/a', 'a/b']), at()),
          fifo(at()),
        ],
        ...[hardlink(at(), at()), hardlink(at(), at()), whiteout(at()), whiteout(at()), opaque(at())],
      ]);
      try {
        tree.put(entry, 0);
      } catch (error) {
        if (!(error instanceof LayerfsError)) {
          t.error(error, `seed ${seed}`);
          break;
        }
      }
    }
    const [actual, expected] = [disk.lines().join('\n'), treeLines(tree.root).join('\n')];
    if (actual !== expected) t.equal(actual, expected, `seed ${seed}`);
  }
  t.pass('3000 seeds');
});
