/** Owners, modes, times and xattrs, of entries and of directories that have none. */
import type { Test } from 'tap';
import {
  device,
  directory,
  fifo,
  file,
  hardlink,
  opaque,
  raw,
  sparse,
  symlink,
  whiteout,
} from '../support/tarball.js';
import { readTree, treeText } from '../support/tree.js';
import { testCases, type Case } from './cases.js';
import type { Subject } from './subject.js';
import { Workspace } from './workspace.js';

const second = 1_000_000_000n;
const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
/** `user::rwx user:1000:rw- group::r-x mask::rwx other::---`, as posix_acl_xattr.h has it. */
const acl = Buffer.from(
  '02000000' +
    '01000700ffffffff' +
    '02000600e8030000' +
    '04000500ffffffff' +
    '10000700ffffffff' +
    '20000000ffffffff',
  'hex',
);
const marks = {
  'trusted.overlay.opaque': 'y',
  'trusted.overlay.whiteout': 'y',
  'trusted.overlay.redirect': '/etc',
  'trusted.overlay.metacopy': '',
  'trusted.overlay.origin': 'x',
  'trusted.overlay.overlay.opaque': 'y',
  'user.overlay.opaque': 'y',
};

/** What they show in full is compared with a plain directory. */
const cases: readonly Case[] = [
  {
    name: 'owners up to 2^32-2, beyond what a header holds (a PAX uid of 3000000 reads as 0 in tar-stream)',
    layers: [
      [
        file('a', '', { uid: 2_097_151, gid: 2_097_152 }),
        file('b', '', { uid: 3_000_000, gid: 4_294_967_294 }),
        directory('d', { uid: 4_294_967_294, gid: 1 }),
        symlink('x', 'l', { uid: 2_147_483_648, gid: 5 }),
        fifo('p', { uid: 65_534, gid: 65_534 }),
        device('char', 'z', 1, 3, { uid: 6, gid: 7 }),
      ],
    ],
    shows: ['a', 'b', 'd/', 'l -> x', 'p p', 'z c 1:3'],
  },
  {
    name: 'setuid, setgid and sticky survive the change of owner, whatever the umask',
    layers: [
      [
        file('suid', 'x', { mode: 0o4755, uid: 9 }),
        file('sgid', 'x', { mode: 0o2755, gid: 9 }),
        file('all', 'x', { mode: 0o7777, uid: 9, gid: 9 }),
        file('none', 'x', { mode: 0, uid: 9 }),
        directory('tmp', { mode: 0o1777 }),
        directory('shared', { mode: 0o2775, gid: 50 }),
        file('shared/own', 'x', { gid: 0, mode: 0o666 }),
        directory('shared/below', { mode: 0o755, gid: 0 }),
        sparse('holes', 10_000, [], { mode: 0o6755, uid: 3 }),
      ],
    ],
    shows: [
      ...['all: x', `holes: ${'\\x00'.repeat(40)}`, 'none: x', 'sgid: x', 'shared/', 'shared/below/'],
      ...['shared/own: x', 'suid: x', 'tmp/'],
    ],
  },
  {
    name: 'times before 1970, after 2038, to the nanosecond, of every kind',
    layers: [
      [
        file('a', '', { mtime: -1n }),
        file('b', '', { mtime: -1_000_000_000n * second }),
        file('c', '', { mtime: 2n ** 31n * second + 1n }),
        file('d', '', { mtime: 8_000_000_000n * second + 999_999_999n }),
        directory('e', { mtime: 123_456_789n }),
        symlink('x', 'f', { mtime: -86_400n * second + 5n }),
        fifo('g', { mtime: 1n }),
        device('block', 'h', 8, 0, { mtime: 4n }),
        file('i', '', { mtime: 0n }),
      ],
    ],
    shows: ['a', 'b', 'c', 'd', 'e/', 'f -> x', 'g p', 'h b 8:0', 'i'],
  },
  {
    name: 'a directory keeps its time when things are put into it, in any layer',
    layers: [
      [directory('', { mtime: 7n * second }), directory('d', { mtime: 5n * second }), file('d/a', 'a')],
      [file('d/b', 'b'), whiteout('d/a'), file('c')],
      [hardlink('d/b', 'd/c')],
    ],
    shows: ['c', 'd/', 'd/b: b', 'd/c = d/b'],
  },
  {
    name: 'xattrs with zeros and newlines, capabilities, ACLs',
    layers: [
      [
        file('f', 'x', {
          uid: 8,
          mode: 0o755,
          xattrs: {
            'user.binary': Buffer.from([0, 10, 255, 61, 0]),
            'user.empty': '',
            'security.capability': capability,
            'trusted.x': 'y',
          },
        }),
        file('acl', '', { mode: 0o670, xattrs: { 'system.posix_acl_access': acl } }),
        directory('d', { xattrs: { 'user.d': 'd'.repeat(300) } }),
        symlink('f', 'l', { xattrs: { 'trusted.l': '1' } }),
        fifo('p', { xattrs: { 'trusted.p': '1' } }),
        sparse('s', 5000, [], { xattrs: { 'user.s': 's' } }),
      ],
    ],
    shows: ['acl', 'd/', 'f: x', 'l -> f', 'p p', `s: ${'\\x00'.repeat(40)}`],
  },
  {
    name: 'a default ACL of a directory reaches nothing in it',
    layers: [
      [
        directory('d', { mode: 0o755, xattrs: { 'system.posix_acl_default': acl } }),
        ...[
          file('d/f', 'x', { mode: 0o604 }),
          directory('d/e', { mode: 0o700 }),
          fifo('d/p', { mode: 0o666 }),
        ],
      ],
      [file('d/g', 'x', { mode: 0o604 })],
    ],
    shows: ['d/', 'd/e/', 'd/f: x', 'd/g: x', 'd/p p'],
  },
  {
    name: "an image's trusted.overlay xattrs are xattrs, not marks of overlayfs",
    layers: [
      [directory('d'), file('d/low', 'low'), file('etc', 'low')],
      [
        directory('d', { xattrs: marks }),
        file('d/f', '', { xattrs: marks }),
        file('empty', '', { xattrs: marks }),
        fifo('p', { xattrs: { 'trusted.overlay.whiteout': 'y' } }),
      ],
      [directory('', { xattrs: marks }), file('d/g')],
    ],
    shows: ['d/', 'd/f', 'd/g', 'd/low: low', 'empty', 'etc: low', 'p p'],
  },
  {
    name: 'a directory over a directory: all attributes are replaced, none is left over',
    layers: [
      [
        directory('d', {
          mode: 0o1777,
          uid: 3,
          gid: 4,
          mtime: 5n,
          xattrs: { 'user.old': '1', 'trusted.t': '1' },
        }),
      ],
      [directory('d', { mode: 0o700, xattrs: { 'user.new': '2' } })],
    ],
    shows: ['d/'],
  },
  {
    name: 'the same within one layer',
    layers: [
      [
        directory('d', { mode: 0o1777, uid: 3, xattrs: { 'user.old': '1', 'trusted.t': '1' } }),
        file('d/f'),
        directory('d', { mode: 0o700, xattrs: { 'user.new': '2' } }),
      ],
    ],
    shows: ['d/', 'd/f'],
  },
  {
    name: 'directories without an entry: 0755, root, 1970',
    layers: [[file('a/b/c/f', 'x')], [file('d/e/g', 'x')]],
    shows: ['a/', 'a/b/', 'a/b/c/', 'a/b/c/f: x', 'd/', 'd/e/', 'd/e/g: x'],
  },
  {
    name: 'directories without an entry look like those below (image-spec#970, containers/storage#1653)',
    layers: [
      [
        directory('a', {
          mode: 0o1777,
          uid: 5,
          gid: 6,
          mtime: 7n,
          xattrs: { 'user.x': 'y', 'trusted.overlay.opaque': 'y' },
        }),
        directory('a/b', { mode: 0o700, gid: 8 }),
      ],
      [file('x')],
      [file('a/b/f', 'x')],
      [file('a/b/g', 'x')],
    ],
    shows: ['a/', 'a/b/', 'a/b/f: x', 'a/b/g: x', 'x'],
  },
  {
    name: 'a directory whose entry follows what is in it',
    layers: [[file('d/f', 'x'), directory('d', { mode: 0o700, uid: 2 })]],
    shows: ['d/', 'd/f: x'],
  },
  {
    name: 'attributes of a directory of a middle layer show through directories without an entry',
    layers: [
      [directory('d', { mode: 0o700 })],
      [directory('d', { mode: 0o711, uid: 9 })],
      [file('d/f', 'x')],
      [opaque('d'), file('d/g', 'x')],
    ],
    shows: ['d/', 'd/g: x'],
  },
  {
    name: 'the root: of the topmost layer that has an entry for it',
    layers: [
      [directory('', { mode: 0o700, uid: 1 })],
      [directory('', { mode: 0o1751, uid: 2, gid: 3, mtime: 9n, xattrs: { 'user.root': 'r' } })],
      [file('f')],
    ],
    shows: ['f'],
  },
  {
    name: 'the root looks the same when its contents are hidden by a layer that has no entry for it',
    layers: [
      [directory('', { mode: 0o1751, uid: 2 }), file('old')],
      [opaque(''), file('new')],
    ],
    shows: ['new'],
  },
  { name: 'a layer without entries', layers: [[]], shows: [] },
  { name: 'an entry for the root and nothing else', layers: [[directory('', { mode: 0o555 })]], shows: [] },
  {
    name: 'bytes after the end of the archive belong to the layer (umoci#360)',
    layers: [[file('f', 'x'), raw(Buffer.alloc(1024), Buffer.from('trailing garbage'))]],
    shows: ['f: x'],
    raw: true,
  },
];

export async function metadata(t: Test, subject: Subject): Promise<void> {
  await testCases(t, subject, cases);

  await t.test('the umask has no effect', async (t) => {
    const before = process.umask(0o077);
    try {
      await using workspace = await Workspace.create(subject);
      const layers = [
        [directory('d', { mode: 0o777 }), file('d/f', 'x', { mode: 0o666 }), fifo('p', { mode: 0o622 })],
        [file('implied/f', 'x', { mode: 0o606 })],
      ];
      const image = await workspace.importImage(...layers);
      const expected = treeText(workspace.expected(layers));
      t.equal(treeText(await workspace.view(image)), expected, 'the view');
      await workspace.mounted(image, {}, ({ at }) => {
        t.equal(treeText(readTree(at)), expected, 'a snapshot');
      });
    } finally {
      process.umask(before);
    }
  });
}
