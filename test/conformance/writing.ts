/** Writing through a snapshot, as programs do it: what is POSIX, and where a driver says that it is not. */
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  fstatSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  opendirSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import type { Test } from 'tap';
import { bytes } from '../../lib/bytes.js';
import {
  AT_FDCWD,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  lgetxattr,
  lsetxattr,
  renameat2,
} from '../../lib/sys/index.js';
import type { Supports } from '../../index.js';
import { directory, file, hardlink, symlink, type Layer } from '../support/tarball.js';
import type { Subject } from './subject.js';
import { Workspace, type Mounted } from './workspace.js';

const plan: Layer[] = [
  [
    ...[
      directory('d'),
      file('d/f', 'lower'),
      directory('d/sub'),
      file('d/sub/g', 'lower'),
      directory('empty'),
    ],
    ...[file('one', 'linked'), hardlink('one', 'two'), hardlink('one', 'd/three'), symlink('d/f', 'link')],
    ...[file('big', Buffer.alloc(200_000, 'b')), file('su', 'x', { mode: 0o4755, uid: 5 })],
  ],
  [
    directory('many'),
    ...Array.from({ length: 300 }, (_, i) => file(`many/${i}`, String(i))),
    file('d/upper', 'u'),
  ],
];

const text = (path: string): string => readFileSync(path, 'latin1');

type Behaviour = (t: Test, path: Mounted['path'], supports: Supports) => void;

const behaviours: Readonly<Record<string, Behaviour>> = {
  'append to a file of a layer': (t, path) => {
    appendFileSync(path('d', 'f'), '+');
    t.equal(text(path('d', 'f')), 'lower+');
    t.equal(text(path('link')), 'lower+', 'through a symlink');
  },
  'write into the middle of a big file': (t, path) => {
    const fd = openSync(path('big'), 'r+');
    writeSync(fd, 'X', 100_000);
    closeSync(fd);
    const data = text(path('big'));
    t.equal(data.length, 200_000);
    t.equal(data.slice(99_999, 100_002), 'bXb');
  },
  'same size and same time, other contents (moby#21555)': (t, path) => {
    const { mtime } = statSync(path('d', 'f'));
    writeFileSync(path('d', 'f'), 'LOWER');
    utimesSync(path('d', 'f'), mtime, mtime);
    t.equal(text(path('d', 'f')), 'LOWER');
  },
  'chmod, chown, times and xattrs alone keep the contents (moby#20240, #24913, #28391)': (t, path) => {
    chmodSync(path('d', 'sub', 'g'), 0o600);
    chownSync(path('big'), 7, 8);
    utimesSync(path('d', 'upper'), 1, 2);
    lsetxattr(bytes(path('one')), bytes('user.x'), Buffer.from('1'));
    t.match(statSync(path('d', 'sub', 'g')), { mode: 0o100600, uid: 0, size: 5 });
    t.match(statSync(path('big')), { uid: 7, gid: 8, size: 200_000 });
    t.equal(statSync(path('d', 'upper')).mtimeMs, 2000);
    t.same(lgetxattr(bytes(path('one')), bytes('user.x')), Buffer.from('1'));
    t.equal(text(path('d', 'sub', 'g')), 'lower');
    t.equal(text(path('one')), 'linked');
  },
  'a write takes setuid away only from those who are not root': (t, path) => {
    appendFileSync(path('su'), 'y');
    t.match(statSync(path('su')), { mode: 0o104755, uid: 5 });
  },
  'remove a file and make it again': (t, path) => {
    unlinkSync(path('d', 'f'));
    t.throws(() => lstatSync(path('d', 'f')), { code: 'ENOENT' });
    t.notOk(readdirSync(path('d')).includes('f'));
    writeFileSync(path('d', 'f'), 'new', { flag: 'wx' });
    t.equal(text(path('d', 'f')), 'new');
  },
  'remove a directory of a layer and make it again: it is empty (moby#25244)': (t, path) => {
    t.throws(() => rmdirSync(path('d')), { code: 'ENOTEMPTY' });
    rmSync(path('d'), { recursive: true });
    mkdirSync(path('d'));
    t.same(readdirSync(path('d')), []);
    mkdirSync(path('d', 'sub'));
    t.same(readdirSync(path('d', 'sub')), [], 'and what is made in it too');
    rmdirSync(path('empty'));
    t.throws(() => statSync(path('empty')), { code: 'ENOENT' });
  },
  'other types in the place of what a layer has': (t, path) => {
    unlinkSync(path('d', 'f'));
    mkdirSync(path('d', 'f'));
    t.same(readdirSync(path('d', 'f')), []);
    rmSync(path('d', 'sub'), { recursive: true });
    symlinkSync('f', path('d', 'sub'));
    t.same(readdirSync(path('d', 'sub')), []);
    t.throws(() => mkdirSync(path('many')), { code: 'EEXIST' });
  },
  'rename a file of a layer, over one, and into another directory': (t, path) => {
    renameSync(path('d', 'f'), path('many', 'f'));
    t.equal(text(path('many', 'f')), 'lower');
    t.throws(() => statSync(path('d', 'f')), { code: 'ENOENT' });
    renameSync(path('many', '1'), path('many', '2'));
    t.equal(text(path('many', '2')), '1');
    t.equal(readdirSync(path('many')).length, 300);
    renameSync(path('link'), path('moved'));
    t.equal(lstatSync(path('moved')).isSymbolicLink(), true);
  },
  'rename a directory of a layer, empty, populated or changed before (moby#25409)': (t, path, supports) => {
    writeFileSync(path('many', 'new'), 'new');
    for (const name of ['empty', 'd', 'many']) {
      const rename = (): void => renameSync(path(name), path(`${name}-moved`));
      if (supports.renameLowerDirectories) rename();
      else t.throws(rename, { code: 'EXDEV' }, name);
    }
    if (!supports.renameLowerDirectories) return;
    t.equal(text(path('d-moved', 'sub', 'g')), 'lower');
    t.equal(readdirSync(path('many-moved')).length, 301);
    t.throws(() => statSync(path('d')), { code: 'ENOENT' });
    mkdirSync(path('d'));
    t.same(readdirSync(path('d')), [], 'a directory made in its place is empty');
    renameSync(path('d-moved', 'sub'), path('d', 'sub'));
    t.equal(text(path('d', 'sub', 'g')), 'lower');
  },
  'renameat2: no replacing, and exchanging': (t, path) => {
    const rename = (from: string, to: string, flags: number): void =>
      renameat2(AT_FDCWD, bytes(path(from)), AT_FDCWD, bytes(path(to)), flags);
    t.throws(() => rename('one', 'big', RENAME_NOREPLACE), { code: 'EEXIST' });
    rename('one', 'big', RENAME_EXCHANGE);
    t.equal(text(path('big')), 'linked');
    t.equal(statSync(path('one')).size, 200_000);
  },
  'the names of a file are one file after a write through one of them': (t, path, supports) => {
    appendFileSync(path('one'), '!');
    t.equal(text(path('one')), 'linked!');
    t.equal(text(path('two')), supports.hardlinksAcrossCopyUp ? 'linked!' : 'linked');
    t.equal(statSync(path('one')).ino === statSync(path('d', 'three')).ino, supports.hardlinksAcrossCopyUp);
  },
  'a link to a file of a layer': (t, path) => {
    linkSync(path('d', 'f'), path('d', 'linked'));
    appendFileSync(path('d', 'linked'), '+');
    t.equal(text(path('d', 'f')), 'lower+');
    t.equal(statSync(path('d', 'f')).nlink, 2);
    unlinkSync(path('d', 'f'));
    t.equal(text(path('d', 'linked')), 'lower+');
  },
  'st_ino stays when a file of a layer is changed': (t, path, supports) => {
    const before = statSync(path('d', 'f')).ino;
    chmodSync(path('d', 'f'), 0o600);
    appendFileSync(path('d', 'f'), '+');
    t.equal(statSync(path('d', 'f')).ino === before, supports.stableInodes);
  },
  'a file open for reading, and a write through another descriptor': (t, path, supports) => {
    const fd = openSync(path('d', 'f'), 'r');
    writeFileSync(path('d', 'f'), 'later');
    const buffer = Buffer.alloc(5);
    readSync(fd, buffer, 0, 5, 0);
    closeSync(fd);
    t.equal(buffer.toString('latin1'), supports.readsSeeLaterWrites ? 'later' : 'lower');
  },
  'a file that is removed while it is open': (t, path) => {
    const fd = openSync(path('d', 'f'), 'r+');
    unlinkSync(path('d', 'f'));
    writeSync(fd, 'still', 0);
    ftruncateSync(fd, 3);
    t.match(fstatSync(fd), { size: 3, nlink: 0 });
    closeSync(fd);
    t.throws(() => statSync(path('d', 'f')), { code: 'ENOENT' });
  },
  'a file that is truncated while it is open': (t, path) => {
    const fd = openSync(path('big'), 'r+');
    writeSync(fd, 'c', 0);
    writeFileSync(path('big'), '');
    t.equal(fstatSync(fd).size, 0);
    closeSync(fd);
    t.equal(statSync(path('big')).size, 0);
  },
  'a directory that is read while it is emptied': (t, path) => {
    const names = new Set<string>();
    const many = opendirSync(path('many'), { bufferSize: 8 });
    for (let entry = many.readSync(); entry !== null; entry = many.readSync()) {
      names.add(entry.name);
      unlinkSync(path('many', entry.name));
    }
    many.closeSync();
    t.equal(names.size, 300, 'each is listed once');
    t.same(readdirSync(path('many')), []);
    rmdirSync(path('many'));
  },
  'a copy within the snapshot': (t, path) => {
    copyFileSync(path('big'), path('many', 'big'));
    t.equal(statSync(path('many', 'big')).size, 200_000);
  },
};

export async function writing(t: Test, subject: Subject): Promise<void> {
  await using workspace = await Workspace.create(subject);
  const image = await workspace.importImage(...plan);
  for (const [name, behaviour] of Object.entries(behaviours)) {
    await t.test(name, async (t) => {
      await workspace.mounted(image, {}, ({ path }) => behaviour(t, path, subject.supports));
    });
  }
}
