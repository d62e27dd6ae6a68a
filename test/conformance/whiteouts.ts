/** Whiteouts and opaque directories (OCI image-spec, layer.md, "Whiteouts"). */
import type { Test } from 'tap';
import { directory, file, hardlink, opaque, symlink, whiteout } from '../support/tarball.js';
import { testCases, type Case } from './cases.js';
import type { Subject } from './subject.js';

const etc = [directory('etc'), file('etc/a', 'low a'), file('etc/b', 'low b')];
const deep = [directory('d'), directory('d/sub'), file('d/sub/f', 'low'), file('d/g', 'low')];

const cases: readonly Case[] = [
  {
    name: 'a whiteout hides a file of a lower layer',
    layers: [etc, [whiteout('etc/a')]],
    shows: ['etc/', 'etc/b: low b'],
  },
  {
    name: 'a whiteout before a file of the same name and layer',
    layers: [etc, [whiteout('etc/a'), file('etc/a', 'new')]],
    shows: ['etc/', 'etc/a: new', 'etc/b: low b'],
  },
  {
    name: 'a whiteout after a file of the same name and layer',
    layers: [etc, [file('etc/a', 'new'), whiteout('etc/a')]],
    shows: ['etc/', 'etc/a: new', 'etc/b: low b'],
  },
  {
    name: 'a file comes back in a later layer',
    layers: [etc, [whiteout('etc/a')], [file('etc/a', 'again')]],
    shows: ['etc/', 'etc/a: again', 'etc/b: low b'],
  },
  {
    name: 'a whiteout hides a directory with what is in it',
    layers: [[...deep, file('keep')], [whiteout('d')]],
    shows: ['keep'],
  },
  {
    name: 'a whiteout of a directory, then a new directory in its place',
    layers: [deep, [whiteout('d'), directory('d', { mode: 0o700 }), file('d/new', 'new')]],
    shows: ['d/', 'd/new: new'],
  },
  {
    name: 'a new directory, then the whiteout of the old one',
    layers: [deep, [directory('d', { mode: 0o700 }), file('d/new', 'new'), whiteout('d')]],
    shows: ['d/', 'd/new: new'],
  },
  {
    name: 'a whiteout of a directory and a file below it, with no entry for the directory',
    layers: [
      [directory('d', { mode: 0o700, uid: 5 }), file('d/old')],
      [whiteout('d'), file('d/new', 'new')],
    ],
    shows: ['d/', 'd/new: new'],
  },
  {
    name: 'the same with the whiteout last: the directory is a new one too',
    layers: [
      [directory('d', { mode: 0o700, uid: 5 }), file('d/old')],
      [file('d/new', 'new'), whiteout('d')],
    ],
    shows: ['d/', 'd/new: new'],
  },
  {
    name: 'whiteouts in two layers, and a directory on top that starts empty',
    layers: [deep, [whiteout('d/sub')], [directory('d/sub'), file('d/sub/h', 'new')]],
    shows: ['d/', 'd/g: low', 'd/sub/', 'd/sub/h: new'],
  },
  {
    name: 'a whiteout of what is not there',
    layers: [etc, [whiteout('etc/c'), whiteout('c')]],
    shows: ['etc/', 'etc/a: low a', 'etc/b: low b'],
  },
  {
    name: 'a whiteout in the bottom layer',
    layers: [[directory('etc'), whiteout('etc/a'), file('etc/b', 'b')]],
    shows: ['etc/', 'etc/b: b'],
  },
  {
    name: 'a whiteout in a directory that nothing else is in',
    layers: [[directory('etc'), whiteout('etc/a')], [file('f')]],
    shows: ['etc/', 'f'],
  },
  {
    name: 'a whiteout in a directory that is not there makes none',
    layers: [etc, [whiteout('none/a'), opaque('nothing'), whiteout('no/where/b')]],
    shows: ['etc/', 'etc/a: low a', 'etc/b: low b'],
  },
  {
    name: 'a whiteout below a path that its own layer has removed brings nothing back',
    layers: [deep, [whiteout('d'), whiteout('d/g'), opaque('d/sub')]],
    shows: [],
  },
  {
    name: 'a whiteout below a file of its own layer leaves the file',
    layers: [deep, [file('d', 'file'), whiteout('d/g')]],
    shows: ['d: file'],
  },
  {
    name: 'a whiteout under a parent that has been replaced',
    layers: [deep, [file('d', 'file')], [directory('d'), whiteout('d/g'), file('d/h', 'new')]],
    shows: ['d/', 'd/h: new'],
  },
  {
    name: 'a whiteout through a symlink of a lower layer',
    layers: [[...etc, symlink('/etc', 'local')], [whiteout('local/a')]],
    shows: ['etc/', 'etc/b: low b', 'local -> /etc'],
  },
  {
    name: 'an opaque marker through a symlink of a lower layer',
    layers: [
      [...etc, symlink('etc', 'local')],
      [file('local/c', 'new'), opaque('local')],
    ],
    shows: ['etc/', 'etc/c: new', 'local -> etc'],
  },
  {
    name: 'a whiteout of a symlink leaves what it leads to',
    layers: [[...etc, symlink('etc', 'local')], [whiteout('local')]],
    shows: ['etc/', 'etc/a: low a', 'etc/b: low b'],
  },
  {
    name: 'a whiteout below a symlink that leads nowhere',
    layers: [[...etc, symlink('/none', 'dead')], [whiteout('dead/a')]],
    shows: ['dead -> /none', 'etc/', 'etc/a: low a', 'etc/b: low b'],
  },
  {
    name: 'a whiteout of one name of a file leaves the others',
    layers: [[file('a', 'text'), hardlink('a', 'b')], [whiteout('a')]],
    shows: ['b: text'],
  },
  {
    name: 'a link to a lower file, then the whiteout of the old name: a rename',
    layers: [[file('a', 'text')], [hardlink('a', 'b'), whiteout('a')]],
    shows: ['b: text'],
  },
  {
    name: 'the same inside a directory that an opaque marker follows',
    layers: [
      [directory('d'), file('d/a', 'text'), file('d/other')],
      [hardlink('d/a', 'b'), directory('d'), opaque('d')],
    ],
    shows: ['b: text', 'd/'],
  },
  {
    name: 'an opaque marker before what is new in the directory',
    layers: [etc, [directory('etc'), opaque('etc'), file('etc/c', 'new')]],
    shows: ['etc/', 'etc/c: new'],
  },
  {
    name: 'an opaque marker between',
    layers: [etc, [directory('etc'), file('etc/a', 'new'), opaque('etc'), file('etc/c', 'new')]],
    shows: ['etc/', 'etc/a: new', 'etc/c: new'],
  },
  {
    name: 'an opaque marker after it',
    layers: [etc, [directory('etc'), file('etc/c', 'new'), opaque('etc')]],
    shows: ['etc/', 'etc/c: new'],
  },
  {
    name: 'an opaque marker hides directories in the directory, not those of its own layer without entries',
    layers: [
      [directory('a'), directory('a/b', { mode: 0o700 }), directory('a/b/c'), file('a/b/c/old'), file('a/x')],
      [file('a/b/c/new', 'new'), opaque('a')],
    ],
    shows: ['a/', 'a/b/', 'a/b/c/', 'a/b/c/new: new'],
  },
  {
    name: 'an opaque marker keeps the attributes of a directory that its layer has no entry for',
    layers: [
      [directory('etc', { mode: 0o711, uid: 3 }), file('etc/a')],
      [opaque('etc'), file('etc/c', 'new')],
    ],
    shows: ['etc/', 'etc/c: new'],
  },
  {
    name: 'opaque markers and plain whiteouts in one directory',
    layers: [
      etc,
      [directory('etc'), whiteout('etc/a'), opaque('etc'), whiteout('etc/b'), file('etc/c', 'c')],
    ],
    shows: ['etc/', 'etc/c: c'],
  },
  {
    name: 'an opaque root',
    layers: [[...etc, file('f')], [opaque(''), file('new', 'new')], [file('newer', 'newer')]],
    shows: ['new: new', 'newer: newer'],
  },
  {
    name: 'an opaque directory that later layers add to',
    layers: [etc, [directory('etc'), opaque('etc')], [file('etc/c', 'c')], [file('etc/a', 'a')]],
    shows: ['etc/', 'etc/a: a', 'etc/c: c'],
  },
  {
    name: 'whiteouts below an opaque directory, in both orders',
    layers: [
      deep,
      [directory('d'), directory('d/sub'), whiteout('d/sub/f'), opaque('d'), whiteout('d/g'), file('d/h')],
    ],
    shows: ['d/', 'd/h', 'd/sub/'],
  },
  {
    name: 'a directory called like a whiteout is none: .wh.d/f',
    layers: [deep, [directory('x'), file('x/.wh.d/f', 'text')]],
    shows: ['d/', 'd/g: low', 'd/sub/', 'd/sub/f: low', 'x/', 'x/.wh.d/', 'x/.wh.d/f: text'],
  },
];

export function whiteouts(t: Test, subject: Subject): Promise<void> {
  return testCases(t, subject, cases);
}
