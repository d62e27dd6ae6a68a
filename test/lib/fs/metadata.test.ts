import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  openSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { bytes, type Bytes } from '../../../lib/bytes.js';
import { InodeNames, readContents, readEntry, readXattrs } from '../../../lib/fs/metadata.js';
import { walk } from '../../../lib/fs/walk.js';
import type { Entry } from '../../../lib/layer/entry.js';
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFSOCK,
  fchmodat,
  fchownat,
  linkat,
  lsetxattr,
  mknodat,
  symlinkat,
  utimensat,
} from '../../../lib/sys/index.js';
import { needsRoot } from '../../support/privilege.js';

function open(t: Test, directory: string): number {
  const fd = openSync(directory, 'r');
  t.teardown(() => closeSync(fd));
  return fd;
}

function entriesIn(root: number): Map<string, Entry | undefined> {
  const names = new InodeNames();
  const entries = new Map<string, Entry | undefined>();
  for (const file of walk(root)) entries.set(file.path, readEntry(file, names));
  return entries;
}

/** What readContents gives for `name`, when `change` happens after the file was found. */
async function contentsOf(root: number, name: string, change: () => void = () => undefined): Promise<Buffer> {
  for (const file of walk(root)) {
    if (file.path !== name) continue;
    change();
    return buffer(readContents(file));
  }
  throw new Error(`the test has no file ${name}`);
}

t.test('every kind of file becomes its entry, to the nanosecond and byte', { skip: needsRoot }, async (t) => {
  const directory = t.testdir({ dir: {}, file: 'hello' });
  const at = (name: string): Bytes => bytes(join(directory, name));
  const binary = Buffer.from([0, 0x0a, 0xff, 0x3d]);
  symlinkat('target\xff' as Bytes, AT_FDCWD, at('link'));
  mknodat(AT_FDCWD, at('null'), S_IFCHR, 1, 3);
  mknodat(AT_FDCWD, at('disk'), S_IFBLK, 259, 70_000);
  mknodat(AT_FDCWD, at('pipe'), S_IFIFO);
  mknodat(AT_FDCWD, at('socket'), S_IFSOCK);
  linkat(AT_FDCWD, at('socket'), AT_FDCWD, at('zsocket'));
  linkat(AT_FDCWD, at('file'), AT_FDCWD, at('zfile'));
  linkat(AT_FDCWD, at('link'), AT_FDCWD, at('zlink'));
  for (const name of ['dir', 'file', 'link', 'null', 'disk', 'pipe']) {
    fchownat(AT_FDCWD, at(name), 3_000_000, 4_294_967_294, AT_SYMLINK_NOFOLLOW);
    if (name !== 'link') fchmodat(AT_FDCWD, at(name), 0o6751);
  }
  lsetxattr(at('file'), bytes('user.binary'), binary);
  lsetxattr(at('link'), bytes('trusted.of-the-link'), binary);
  utimensat(AT_FDCWD, at('file'), 'now', -1n);
  utimensat(AT_FDCWD, at('link'), 'now', 4_102_444_800_000_000_001n, AT_SYMLINK_NOFOLLOW);
  for (const name of ['dir', 'null', 'disk', 'pipe'])
    utimensat(AT_FDCWD, at(name), 'now', 1_700_000_000_123_456_789n);

  const entries = entriesIn(open(t, directory));
  const meta = {
    mode: 0o6751,
    uid: 3_000_000,
    gid: 4_294_967_294,
    mtime: 1_700_000_000_123_456_789n,
    xattrs: new Map(),
  };
  const expected: Record<string, object | undefined> = {
    dir: { kind: 'directory', path: 'dir', meta },
    null: { kind: 'char', path: 'null', meta, major: 1, minor: 3 },
    disk: { kind: 'block', path: 'disk', meta, major: 259, minor: 70_000 },
    pipe: { kind: 'fifo', path: 'pipe', meta },
    file: {
      kind: 'file',
      path: 'file',
      meta: { ...meta, mtime: -1n, xattrs: new Map([['user.binary', binary]]) },
      size: 5,
      extents: null,
    },
    link: {
      kind: 'symlink',
      path: 'link',
      meta: {
        ...meta,
        mode: 0o777,
        mtime: 4_102_444_800_000_000_001n,
        xattrs: new Map([['trusted.of-the-link', binary]]),
      },
      target: 'target\xff',
    },
    zfile: { kind: 'hardlink', path: 'zfile', target: 'file' },
    zlink: { kind: 'hardlink', path: 'zlink', target: 'link' },
    socket: undefined,
    zsocket: undefined,
  };
  for (const [path, entry] of Object.entries(expected)) {
    t.ok(entries.has(path), path);
    t.strictSame(entries.get(path), entry, path);
  }
});

t.test('whiteouts of overlayfs share an inode, and are no hard links', { skip: needsRoot }, (t) => {
  const directory = t.testdir();
  const at = (name: string): Bytes => bytes(join(directory, name));
  mknodat(AT_FDCWD, at('a'), S_IFCHR, 0, 0);
  linkat(AT_FDCWD, at('a'), AT_FDCWD, at('b'));
  const entries = entriesIn(open(t, directory));
  for (const name of ['a', 'b']) t.match(entries.get(name), { kind: 'char', major: 0, minor: 0 }, name);
  t.end();
});

t.test('a symlink answers for itself, not for its target', { skip: needsRoot }, (t) => {
  const directory = t.testdir({ target: '', link: t.fixture('symlink', 'target') });
  lsetxattr(bytes(join(directory, 'target')), bytes('user.of-the-target'), Buffer.from('x'));
  for (const file of walk(open(t, directory))) {
    const names = [...readXattrs(file).keys()];
    t.strictSame(names, file.path === 'target' ? ['user.of-the-target'] : [], `/${file.path}`);
  }
  t.end();
});

t.test('a file system without xattrs has none', (t) => {
  for (const file of walk(open(t, '/proc/sys/kernel/random')))
    t.equal(readXattrs(file).size, 0, `/${file.path}`);
  t.end();
});

t.test('contents come whole, holes as zeros', async (t) => {
  const directory = t.testdir({ empty: '', small: 'x'.repeat(1000) });
  const large = Buffer.alloc(3 * 1024 * 1024 + 17, 'large');
  writeFileSync(join(directory, 'large'), large);
  const sparse = await openFile(join(directory, 'sparse'), 'w');
  await sparse.write('end', 200_000);
  await sparse.close();
  const root = open(t, directory);
  t.equal((await contentsOf(root, 'empty')).length, 0);
  t.equal((await contentsOf(root, 'small')).toString(), 'x'.repeat(1000));
  t.ok((await contentsOf(root, 'large')).equals(large));
  t.ok((await contentsOf(root, 'sparse')).equals(Buffer.concat([Buffer.alloc(200_000), Buffer.from('end')])));
});

t.test('a file that changes after it was found is not read as if it had not', async (t) => {
  const cases: Record<string, [change: (path: string) => void, errno: string]> = {
    'cut shorter': [(path) => truncateSync(path, 10), 'ESTALE'],
    'made longer': [(path) => appendFileSync(path, 'x'), 'ESTALE'],
    'written to': [(path) => writeFileSync(path, 'y'.repeat(1000)), 'ESTALE'],
    replaced: [
      (path) => {
        writeFileSync(`${path}.new`, 'x'.repeat(1000));
        renameSync(`${path}.new`, path);
      },
      'ESTALE',
    ],
    removed: [(path) => unlinkSync(path), 'ENOENT'],
    'replaced by a FIFO, which is not waited for': [
      (path) => {
        unlinkSync(path);
        execFileSync('mkfifo', [path]);
      },
      'ESPIPE',
    ],
  };
  for (const [name, [change, errno]] of Object.entries(cases)) {
    await t.test(name, async (t) => {
      const directory = t.testdir({ file: 'x'.repeat(1000) });
      const changed = (): void => {
        // A file's times move in ticks of the kernel's clock: a change within one shows in its size only.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
        change(join(directory, 'file'));
      };
      await t.rejects(contentsOf(open(t, directory), 'file', changed), {
        code: 'FILESYSTEM',
        detail: { errno },
      });
    });
  }
});

t.test('reading is cancelled by a signal', async (t) => {
  const root = open(t, t.testdir({ file: 'x' }));
  for (const file of walk(root)) {
    if (file.path === '') continue;
    await t.rejects(buffer(readContents(file, { signal: AbortSignal.abort() })), { code: 'ABORTED' });
  }
});
