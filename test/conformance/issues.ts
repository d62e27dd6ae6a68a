/** Bugs that others have had, each with its address. */
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { bytes } from '../../lib/bytes.js';
import { removeTree } from '../../lib/fs/remove.js';
import { MS_BIND, mount, umount2 } from '../../lib/sys/index.js';
import { header, longName, member, pax } from '../lib/tar/support.js';
import {
  device,
  directory,
  fifo,
  file,
  hardlink,
  opaque,
  raw,
  symlink,
  tarball,
  whiteout,
} from '../support/tarball.js';
import { treeOutline, treeText } from '../support/tree.js';
import { testCases, type Case } from './cases.js';
import type { Subject } from './subject.js';
import { Workspace } from './workspace.js';

const cases: readonly Case[] = [
  {
    name: 'whiteouts of one layer that hide its own files: go-containerregistry pkg/v1/mutate extractLayer',
    layers: [
      [file('foo', 'low')],
      [whiteout('foo'), file('foo', 'new'), file('bar', 'new'), whiteout('bar')],
    ],
    shows: ['bar: new', 'foo: new'],
  },
  {
    name: 'a whiteout in an opaque directory is listed: https://github.com/coreos/bugs/issues/1097, umoci 0.5.0',
    layers: [
      [directory('d'), file('d/a'), file('d/b')],
      [directory('d'), opaque('d'), whiteout('d/a'), whiteout('d/c')],
      [directory('e'), whiteout('e/x'), opaque('e')],
    ],
    shows: ['d/', 'e/'],
  },
  {
    name: 'entries below a plain whiteout of their directory: https://github.com/opencontainers/umoci/issues/546',
    layers: [
      [directory('d'), file('d/old')],
      [whiteout('d'), directory('d'), directory('d/e'), file('d/e/new', 'x')],
    ],
    shows: ['d/', 'd/e/', 'd/e/new: x'],
  },
  {
    name: 'an opaque marker deletes new files whose parents have no entry: containerd, moby (unpackedPaths without ancestors)',
    layers: [
      [directory('a'), file('a/old')],
      [file('a/b/c/foo', 'new'), opaque('a')],
    ],
    shows: ['a/', 'a/b/', 'a/b/c/', 'a/b/c/foo: new'],
  },
  {
    name: 'deleted files come back when layers are unpacked in parallel: https://github.com/containerd/containerd/issues/13030',
    layers: [
      [directory('d'), file('d/a'), file('d/b')],
      [whiteout('d/a'), file('x')],
      [whiteout('d'), file('y')],
      [directory('d'), whiteout('x')],
    ],
    shows: ['d/', 'y'],
  },
  {
    name: 'a removed directory that is filled again shows what was in it: https://github.com/moby/moby/issues/25244',
    layers: [
      [directory('d'), file('d/old'), directory('d/e'), file('d/e/old')],
      [opaque('d'), directory('d')],
      [directory('d/e'), file('d/e/new', 'n')],
      [whiteout('d')],
      [directory('d')],
    ],
    shows: ['d/'],
  },
  {
    name: 'directories without entries hide the mode of those below: https://github.com/opencontainers/image-spec/issues/970',
    layers: [
      [directory('tmp', { mode: 0o1777 }), directory('tmp/x', { mode: 0o700, uid: 9 })],
      [file('tmp/x/f', 'f')],
    ],
    shows: ['tmp/', 'tmp/x/', 'tmp/x/f: f'],
  },
  {
    name: 'a cached parent leads out: CVE-2025-47290 (containerd)',
    layers: [
      [
        ...[directory('d'), directory('d/sub'), file('d/sub/f', 'one'), symlink('/', 'd')],
        ...[directory('d/sub'), file('d/sub/f', 'two')],
      ],
    ],
    shows: ['d -> /', 'sub/', 'sub/f: two'],
  },
  {
    name: 'a hardlink to a symlink, and a chmod that follows it: CVE-2021-32760 (containerd)',
    layers: [
      [
        file('target', 'x', { mode: 0o600 }),
        symlink('/target', 'link', { mode: 0o777, uid: 7 }),
        hardlink('link', 'hard'),
      ],
    ],
    shows: ['hard -> /target', 'link = hard', 'target: x'],
  },
  {
    name: 'symlink escapes: containerd SymlinkUpAndOut, go-archive TestUntarSymlinkBreakout, node-tar CVE-2026-26960',
    layers: [
      [
        ...[directory('etc'), symlink('../../../../etc', 'up'), file('up/one', '1')],
        ...[directory('inner'), symlink('..', 'inner/go'), symlink('../victim', 'inner/go/escape')],
        ...[file('inner/go/escape/new', '2'), symlink('/../../etc', 'abs'), file('abs/three', '3')],
        ...[symlink('a/../../../etc', 'odd'), file('odd/four', '4')],
      ],
    ],
    shows: [
      ...['abs -> /../../etc', 'escape -> ../victim', 'etc/', 'etc/four: 4', 'etc/one: 1', 'etc/three: 3'],
      ...[
        'inner/',
        'inner/go -> ..',
        'odd -> a/../../../etc',
        'up -> ../../../../etc',
        'victim/',
        'victim/new: 2',
      ],
    ],
  },
  {
    name: 'a symlink that a lower layer planted: umoci CVE-2021-29136, buildah CVE-2020-10696',
    layers: [
      [
        symlink('/etc', 'local'),
        symlink('../../..', 'out'),
        directory('etc'),
        file('etc/passwd', 'root'),
        file('etc/gone'),
      ],
      [
        ...[file('local/motd', 'hi'), directory('local/d', { mode: 0o700 }), fifo('local/p')],
        ...[
          device('char', 'local/null', 1, 3),
          hardlink('local/passwd', 'local/copy'),
          whiteout('local/gone'),
        ],
        ...[symlink('passwd', 'out/etc/l'), file('out/top', 't')],
      ],
    ],
    shows: [
      ...['etc/', 'etc/copy: root', 'etc/d/', 'etc/l -> passwd', 'etc/motd: hi', 'etc/null c 1:3', 'etc/p p'],
      ...['etc/passwd = etc/copy', 'local -> /etc', 'out -> ../../..', 'top: t'],
    ],
  },
  {
    name: 'a file in the place of a symlink of a lower layer: https://github.com/stacklok/go-microvm/pull/38 (busybox, coreutils)',
    layers: [
      [file('bin/busybox', 'box'), symlink('busybox', 'bin/ls')],
      [directory('bin'), file('bin/ls', 'ls')],
    ],
    shows: ['bin/', 'bin/busybox: box', 'bin/ls: ls'],
  },
  {
    name: 'var/run is a symlink to /run below: moby/go-archive e564ecc',
    layers: [
      [directory('run'), directory('var'), symlink('/run', 'var/run')],
      [directory('var'), file('var/run/x.pid', '1')],
    ],
    shows: ['run/', 'run/x.pid: 1', 'var/', 'var/run -> /run'],
  },
  {
    name: 'absolute targets of hardlinks, as kaniko writes them: moby/go-archive 5cd0e30, 4f6cd58',
    layers: [
      [
        file('usr/bin/a', 'a'),
        symlink('/usr', 'u'),
        hardlink('/usr/bin/a', 'usr/bin/b'),
        hardlink('/u/bin/a', 'c'),
      ],
    ],
    shows: ['c: a', 'u -> /usr', 'usr/', 'usr/bin/', 'usr/bin/a = c', 'usr/bin/b = c'],
  },
  {
    name: 'parents without entries for a directory: moby/go-archive 517985a',
    layers: [[directory('a/b/c', { mode: 0o700 })]],
    shows: ['a/', 'a/b/', 'a/b/c/'],
  },
  {
    name: 'a whiteout, then one below it: containers/storage archive_linux.go',
    layers: [
      [directory('foo'), file('foo/bar')],
      [whiteout('foo'), whiteout('foo/bar')],
    ],
    shows: [],
  },
  {
    name: 'a directory called .wh.etc: containerd WhiteoutDirectoryName',
    layers: [[directory('etc'), file('etc/f', 'f')], [file('.wh.etc/somefile', 'x')]],
    shows: ['.wh.etc/', '.wh.etc/somefile: x', 'etc/', 'etc/f: f'],
  },
  {
    name: 'a PAX header before a GNU long name: node-tar GHSA-vmf3-w455-68vh, async-tar CVE-2025-62518',
    raw: true,
    layers: [
      [
        raw(
          pax([['size', '512']]),
          longName(`d/${'n'.repeat(120)}`),
          header({ name: 'short', size: 0 }),
          member({ name: 'inner', type: '0' }, '').subarray(0, 512),
        ),
        file('after', 'after'),
      ],
    ],
    shows: ['after: after', 'd/', `d/${'n'.repeat(120)}: inner${'\\x00'.repeat(35)}`],
  },
  {
    name: 'GNU magic, and times where ustar has a prefix: https://github.com/golang/go/issues/21005, moby#34092',
    raw: true,
    layers: [
      [
        raw(
          header({
            name: 'file',
            magic: 'gnu',
            uid: Buffer.from([0x80, 0, 0, 0, 0, 0x2d, 0xc6, 0xc0]),
            at: [[345, '14000000000\0']],
          }),
        ),
      ],
    ],
    shows: ['file'],
  },
];

export async function issues(t: Test, subject: Subject): Promise<void> {
  await testCases(t, subject, cases);

  await t.test(
    'a zero-byte or foreign file where a layer should be: moby#44909, #23184, containerd#5854',
    async (t) => {
      await using workspace = await Workspace.create(subject);
      const { store } = workspace;
      const layers = [[directory('d'), file('d/f', 'text')]];
      const source = `oci:${workspace.layout([{ tag: 'x', layers }])}`;
      await store.import(source, 'x');
      const id = (await store.inspect('x')).layers[0]?.id ?? '';
      const path = join(store.root, 'layers', id);
      const expected = treeText(workspace.expected(layers));
      const damages: Readonly<Record<string, () => Promise<void> | void>> = {
        'an empty directory is left': async () => {
          await removeTree(path);
          mkdirSync(path);
        },
        'a directory with something in it is left': async () => {
          await removeTree(path);
          mkdirSync(join(path, 'tree', 'junk'), { recursive: true });
        },
        'layer.json is empty': () => truncateSync(join(path, 'layer.json')),
        'layer.json is zeros': () => writeFileSync(join(path, 'layer.json'), Buffer.alloc(300)),
        'layer.json is cut': () => truncateSync(join(path, 'layer.json'), 50),
      };
      for (const [what, damage] of Object.entries(damages)) {
        await damage();
        await store.import(source, 'x');
        t.equal(treeText(await workspace.view('x')), expected, `${what}: importing again heals`);
      }
    },
  );

  await t.test('one damaged file stops every command: containers/storage#2184', async (t) => {
    await using workspace = await Workspace.create(subject);
    const { store } = workspace;
    await workspace.import([
      { tag: 'good', layers: [[file('good', 'good')]] },
      { tag: 'bad', layers: [[file('bad', 'bad')]] },
    ]);
    await workspace.snapshot('test:good', 'good');
    await workspace.snapshot('test:bad', 'bad');
    const [layer] = (await store.inspect('test:bad')).layers;
    for (const path of [
      join('snapshots', 'bad', 'snapshot.json'),
      join('layers', layer?.id ?? '', 'layer.json'),
      join('chains', `${layer?.id ?? ''}.json`),
    ]) {
      for (const size of [0, 20]) truncateSync(join(store.root, path), size);
    }
    await t.rejects(workspace.snapshot(null, 'bad'), { code: 'STORE_INVALID' });
    await t.rejects(workspace.view('test:bad'), { code: 'STORE_INVALID' });
    t.same(treeOutline(await workspace.view('test:good')), ['good: good']);
    t.same(treeOutline(await workspace.snapshot(null, 'good')), ['good: good']);
    t.same(treeOutline(await workspace.snapshot('test:good', 'new')), ['good: good']);
    t.equal((await store.images()).length, 2);
    t.same(await store.mounts(), []);

    const todo = 'what cannot be read is refused by everything that lists, and cannot be removed either';
    await t.test('what is damaged can be seen and removed', { todo }, async (t) => {
      t.equal((await store.snapshots()).length, 3);
      await store.removeSnapshots(['bad']);
      await store.removeImages(['test:bad']);
      t.match(await store.info(), { images: 1, snapshots: 2 });
    });
  });

  await t.test(
    'deleting through a mount point: https://github.com/containerd/containerd/issues/10704',
    async (t) => {
      await using workspace = await Workspace.create(subject);
      const { store } = workspace;
      await workspace.snapshot(await workspace.importImage([directory('d'), file('d/f', 'text')]), 's');
      const precious = workspace.newDirectory();
      writeFileSync(join(precious, 'data'), 'precious');
      const inside = join(store.root, 'snapshots', 's', 'mnt');
      mkdirSync(inside);
      mount(bytes(precious), bytes(inside), bytes('none'), MS_BIND, bytes(''));
      await t.rejects(store.removeSnapshots(['s']), { code: 'IN_USE' });
      t.same(readdirSync(precious), ['data'], 'HOST PATH WAS CHANGED!');
      const table = readFileSync('/proc/self/mountinfo', 'latin1').split('\n');
      const place = table.find((line) => line.includes(store.root) && line.includes('/mnt '))?.split(' ')[4];
      umount2(bytes(place ?? inside), 0);
      const again = await subject.open(store.root);
      await again.close();
      t.equal(
        readdirSync(join(store.root, 'tmp')).length,
        1,
        'the next process that opens the store cleans up',
      );
    },
  );

  await t.test('a store that others can read: CVE-2021-41091, CVE-2021-41103', async (t) => {
    const before = process.umask(0);
    try {
      await using workspace = await Workspace.create(subject);
      await workspace.snapshot(await workspace.importImage([file('su', 'x', { mode: 0o4755 })]));
      const { root } = workspace.store;
      t.equal(statSync(root).mode & 0o077, 0, 'nobody else gets into the root');
      for (const name of readdirSync(root)) {
        t.equal(statSync(join(root, name)).mode & 0o077, 0, name);
      }
    } finally {
      process.umask(before);
    }
  });

  await t.test(
    'a sibling with the name of the root and more: tar-fs CVE-2025-48387, filepath.HasPrefix',
    async (t) => {
      await using workspace = await Workspace.create(subject);
      for (const [what, layer] of [
        ['a path', raw(member({ name: '../tree-evil/x' }, 'x'))],
        ['an absolute path with ..', raw(member({ name: '/../tree-evil/x' }, 'x'))],
        ['a hardlink', raw(member({ name: 'x', type: '1', link: '../tree-evil/secret' }))],
      ] as const) {
        await t.rejects(workspace.importImage(tarball(layer)), { code: 'PATH_ESCAPE' }, what);
      }
      t.same(await workspace.store.images(), []);
    },
  );

  await t.test(
    'unpacking sees the modes of directories made before: a directory without permissions',
    async (t) => {
      await using workspace = await Workspace.create(subject);
      const image = await workspace.importImage([
        directory('d', { mode: 0 }),
        file('d/f', 'f'),
        directory('d/e', { mode: 0 }),
      ]);
      await workspace.mounted(image, {}, ({ path }) => {
        t.equal(statSync(path('d')).mode & 0o7777, 0);
        chmodSync(path('d'), 0o755);
        t.same(readdirSync(path('d')), ['e', 'f']);
      });
    },
  );
}
