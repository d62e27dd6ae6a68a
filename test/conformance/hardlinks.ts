/** Files of several names: within a layer, and reaching into the layers below. */
import type { Test } from 'tap';
import {
  device,
  directory,
  fifo,
  file,
  hardlink,
  opaque,
  sparse,
  symlink,
  whiteout,
} from '../support/tarball.js';
import { testCases, type Case } from './cases.js';
import type { Subject } from './subject.js';

const pair = [file('a', 'text', { mode: 0o4755, uid: 7 }), hardlink('a', 'b')];

const cases: readonly Case[] = [
  { name: 'two names', layers: [pair], shows: ['a: text', 'b = a'] },
  {
    name: 'a link to a link is one more name of the file',
    layers: [[...pair, hardlink('b', 'c'), hardlink('c', 'd/e')]],
    shows: ['a: text', 'b = a', 'c = a', 'd/', 'd/e = a'],
  },
  {
    name: 'of a symlink, a fifo and devices: the link itself, not what it leads to (CVE-2021-32760)',
    layers: [
      [
        ...[symlink('/etc/passwd', 's'), fifo('p'), device('char', 'n', 1, 3), device('block', 'z', 7, 0)],
        ...[hardlink('s', 's2'), hardlink('p', 'p2'), hardlink('n', 'n2'), hardlink('z', 'z2')],
      ],
    ],
    shows: [
      ...['n c 1:3', 'n2 = n', 'p p', 'p2 = p'],
      ...['s -> /etc/passwd', 's2 = s', 'z b 7:0', 'z2 = z'],
    ],
  },
  {
    name: 'targets as tools write them: absolute, with ./, through a symlink',
    layers: [
      [
        ...[directory('d'), file('d/f', 'text'), symlink('/d', 'l')],
        ...[hardlink('/d/f', '1'), hardlink('./d/./f', '2'), hardlink('l/f', '3'), hardlink('d/f', 'l/4')],
      ],
    ],
    shows: ['1: text', '2 = 1', '3 = 1', 'd/', 'd/4 = 1', 'd/f = 1', 'l -> /d'],
  },
  {
    name: 'the first name is replaced: the others keep the file',
    layers: [[...pair, hardlink('a', 'c'), file('a', 'new')]],
    shows: ['a: new', 'b: text', 'c = b'],
  },
  {
    name: 'the first name goes with its directory',
    layers: [
      [directory('d'), file('d/a', 'text'), hardlink('d/a', 'b'), hardlink('d/a', 'c'), file('d', 'now')],
    ],
    shows: ['b: text', 'c = b', 'd: now'],
  },
  {
    name: 'all names are replaced one after another',
    layers: [[...pair, file('a', '1'), file('b', '2')]],
    shows: ['a: 1', 'b: 2'],
  },
  {
    name: 'a name is written again: the other keeps its data',
    layers: [[...pair], [file('b', 'new')]],
    shows: ['a: text', 'b: new'],
  },
  {
    name: 'the first name is hidden by a later layer',
    layers: [[...pair, hardlink('a', 'c')], [whiteout('a')]],
    shows: ['b: text', 'c = b'],
  },
  {
    name: 'a link that says again what is so already, from either side',
    layers: [[...pair, hardlink('b', 'a'), hardlink('a', 'b')]],
    shows: ['a: text', 'b = a'],
  },
  {
    name: 'to a file of the layer below',
    layers: [[file('a', 'low', { uid: 5, mode: 0o6755, xattrs: { 'user.x': 'y' } })], [hardlink('a', 'b')]],
    shows: ['a: low', 'b = a'],
  },
  {
    name: 'to a file several layers below',
    layers: [[file('a', 'low')], [file('x')], [directory('d')], [hardlink('a', 'd/b')]],
    shows: ['a: low', 'd/', 'd/b = a', 'x'],
  },
  {
    name: 'to one of several names below: all of them stay one file',
    layers: [[...pair, hardlink('a', 'd/c')], [hardlink('b', 'e')]],
    shows: ['a: text', 'b = a', 'd/', 'd/c = a', 'e = a'],
  },
  {
    name: 'to one of several names, of which a layer between has replaced one',
    layers: [pair, [file('a', 'between')], [hardlink('b', 'c')]],
    shows: ['a: between', 'b: text', 'c = b'],
  },
  {
    name: 'to one of several names, of which the same layer replaces another, before or after',
    layers: [
      [...pair, hardlink('a', 'c')],
      [file('a', 'new'), hardlink('b', 'd'), file('c', 'newer')],
    ],
    shows: ['a: new', 'b: text', 'c: newer', 'd = b'],
  },
  {
    name: 'a chain through layers: each adds a name',
    layers: [[file('a', 'low')], [hardlink('a', 'b')], [hardlink('b', 'c')], [hardlink('a', 'd')]],
    shows: ['a: low', 'b = a', 'c = a', 'd = a'],
  },
  {
    name: 'to a lower file through a symlink of a lower layer',
    layers: [[directory('d'), file('d/f', 'low'), symlink('d', 'l')], [hardlink('l/f', 'l/g')]],
    shows: ['d/', 'd/f: low', 'd/g = d/f', 'l -> d'],
  },
  {
    name: 'to a lower symlink: the link itself',
    layers: [[file('f', 'low'), symlink('f', 'l')], [hardlink('l', 'm')]],
    shows: ['f: low', 'l -> f', 'm = l'],
  },
  {
    name: 'to a lower fifo and a lower device',
    layers: [
      [fifo('p'), device('char', 'n', 1, 5)],
      [hardlink('p', 'p2'), hardlink('n', 'n2')],
    ],
    shows: ['n c 1:5', 'n2 = n', 'p p', 'p2 = p'],
  },
  {
    name: 'to a lower sparse file',
    layers: [[sparse('a', 10_000, [{ offset: 0, data: Buffer.from('text') }])], [hardlink('a', 'b')]],
    shows: [`a: text${'\\x00'.repeat(36)}`, 'b = a'],
  },
  {
    name: 'the lower file that was linked to is replaced in the same layer',
    layers: [[file('a', 'low')], [hardlink('a', 'b'), file('a', 'new')]],
    shows: ['a: new', 'b: low'],
  },
  {
    name: 'names below that the layer hides stay hidden, marks before or after the link',
    layers: [
      [file('a', 'low'), hardlink('a', 'd/b'), hardlink('a', 'e/c'), hardlink('a', 'f')],
      [whiteout('f'), opaque('d'), hardlink('a', 'new'), opaque('e')],
    ],
    shows: ['a: low', 'd/', 'e/', 'new = a'],
  },
  {
    name: 'a link in the place of a directory',
    layers: [[file('a', 'low'), directory('d/e')], [hardlink('a', 'd')]],
    shows: ['a: low', 'd = a'],
  },
];

export function hardlinks(t: Test, subject: Subject): Promise<void> {
  return testCases(t, subject, cases);
}
