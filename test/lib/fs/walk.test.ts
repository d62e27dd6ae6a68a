import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { bytes, type Bytes } from '../../../lib/bytes.js';
import { removeTree } from '../../../lib/fs/remove.js';
import { walk, type HostFile, type WalkOptions } from '../../../lib/fs/walk.js';
import { limits } from '../../../lib/limits.js';
import {
  AT_FDCWD,
  MNT_DETACH,
  MS_BIND,
  O_DIRECTORY,
  O_RDONLY,
  close,
  mkdirat,
  mount,
  openat,
  umount2,
} from '../../../lib/sys/index.js';
import { needsMountNamespace, needsRoot } from '../../support/privilege.js';

function open(t: Test, directory: string): number {
  const fd = openSync(directory, 'r');
  t.teardown(() => closeSync(fd));
  return fd;
}

function pathsIn(root: number, options?: WalkOptions): string[] {
  return Array.from(walk(root, options), ({ path }) => path);
}

/** Walks on from the file of that path after `change` has happened. */
function walkAcross(root: number, path: string, change: () => void): HostFile[] {
  const found = [];
  for (const file of walk(root)) {
    found.push(file);
    if (file.path === path) change();
  }
  return found;
}

t.test('directories come before what is in them, names in byte order', (t) => {
  const directory = t.testdir({
    b: { z: '', a: { deep: '' } },
    'b.c': '',
    a: '',
    link: t.fixture('symlink', 'b'),
  });
  writeFileSync(Buffer.concat([Buffer.from(`${directory}/b/`), Buffer.from([0xff, 0x0a])]), '');
  writeFileSync(join(directory, 'b', 'é'), '');
  t.strictSame(pathsIn(open(t, directory)), [
    '',
    'a',
    'b',
    'b/a',
    'b/a/deep',
    'b/z',
    `b/${bytes('é')}`,
    'b/\xff\n',
    'b.c',
    'link',
  ]);
  t.end();
});

t.test('a file that vanishes, or is another when its turn comes, is not left out silently', (t) => {
  const cases: Record<string, [change: (directory: string) => void, errno: string]> = {
    'a file that was listed is removed': [(d) => unlinkSync(join(d, 'b')), 'ENOENT'],
    'a directory is removed': [(d) => rmdirSync(join(d, 'a')), 'ENOENT'],
    'a directory becomes a link': [
      (d) => {
        rmdirSync(join(d, 'a'));
        symlinkSync('/etc', join(d, 'a'));
      },
      'ENOTDIR',
    ],
    'a directory becomes a file': [
      (d) => {
        rmdirSync(join(d, 'a'));
        writeFileSync(join(d, 'a'), '');
      },
      'ENOTDIR',
    ],
    'a directory becomes another': [
      (d) => {
        mkdirSync(join(d, 'other'));
        renameSync(join(d, 'other'), join(d, 'a'));
      },
      'ESTALE',
    ],
  };
  for (const [name, [change, errno]] of Object.entries(cases)) {
    t.test(name, (t) => {
      const directory = t.testdir({ a: {}, b: '' });
      const root = open(t, directory);
      t.throws(() => walkAcross(root, 'a', () => change(directory)), {
        code: 'FILESYSTEM',
        detail: { errno },
      });
      t.end();
    });
  }
  t.end();
});

t.test('a file that appears meanwhile is no error', (t) => {
  const directory = t.testdir({ a: {}, b: '' });
  walkAcross(open(t, directory), 'a', () => linkSync(join(directory, 'b'), join(directory, 'new')));
  t.end();
});

t.test('a walk that is left has closed its descriptors', (t) => {
  const root = open(t, t.testdir({ a: { b: { c: '' } } }));
  const before = readdirSync('/proc/self/fd').length;
  for (const { path } of walk(root)) if (path === 'a/b/c') break;
  t.equal(readdirSync('/proc/self/fd').length, before);
  t.end();
});

t.test('a tree that is too deep for a layer is LIMIT_EXCEEDED', async (t) => {
  const directory = t.testdir();
  let parent = openat(AT_FDCWD, bytes(directory), O_RDONLY | O_DIRECTORY);
  for (let depth = 0; depth <= limits.pathDepth; depth++) {
    mkdirat(parent, 'd' as Bytes, 0o755);
    const child = openat(parent, 'd' as Bytes, O_RDONLY | O_DIRECTORY);
    close(parent);
    parent = child;
  }
  close(parent);
  t.throws(() => pathsIn(open(t, directory)), { code: 'LIMIT_EXCEEDED' });
  await removeTree(join(directory, 'd'));
});

t.test('what may not be read is PERMISSION', { skip: needsRoot }, (t) => {
  const directory = t.testdir({ secret: { file: '' } });
  const root = open(t, directory);
  mkdirSync(join(directory, 'closed'), { mode: 0o700 });
  process.seteuid?.(65_534);
  try {
    t.throws(() => pathsIn(root), { code: 'PERMISSION', detail: { errno: 'EACCES', path: 'closed' } });
  } finally {
    process.seteuid?.(0);
  }
  t.end();
});

t.test('mounts are found, and entered only when asked', { skip: needsMountNamespace() }, (t) => {
  const directory = t.testdir({ a: { hidden: '' }, file: 'below', z: '' });
  const at = (name: string): Bytes => bytes(join(directory, name));
  mount(bytes('tmpfs'), at('a'), bytes('tmpfs'), 0);
  mount(at('z'), at('file'), null, MS_BIND);
  try {
    writeFileSync(join(directory, 'a', 'mounted'), '');
    const root = open(t, directory);
    const found = [...walk(root)];
    t.strictSame(
      found.map(({ path, isMountPoint }) => [path, isMountPoint]),
      [
        ['', false],
        ['a', true],
        ['file', true],
        ['z', false],
      ],
    );
    t.strictSame(pathsIn(root, { enterMounts: true }), ['', 'a', 'a/mounted', 'file', 'z']);
    t.strictSame(pathsIn(open(t, join(directory, 'a'))), ['', 'mounted'], 'a mount as the root of the walk');
  } finally {
    umount2(at('file'));
    umount2(at('a'), MNT_DETACH);
  }
  t.throws(
    () => walkAcross(open(t, directory), 'a', () => mount(bytes('tmpfs'), at('a'), bytes('tmpfs'), 0)),
    { code: 'FILESYSTEM', detail: { errno: 'EXDEV' } },
    'a mount that comes after the directory was found is not entered',
  );
  umount2(at('a'), MNT_DETACH);
  t.end();
});
