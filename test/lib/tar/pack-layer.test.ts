import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { bytes, type Bytes, type LayerPath } from '../../../lib/bytes.js';
import { digestOf, emptyLayerDiffId } from '../../../lib/digest.js';
import type { Entry, FileEntry } from '../../../lib/layer/entry.js';
import { packLayer } from '../../../lib/tar/pack-layer.js';
import { meta } from '../../support/layer-nodes.js';
import { readLayer } from '../../support/read-layer.js';

const path = (text: string): LayerPath => bytes(text) as LayerPath;

function file(name: string, size: number): FileEntry {
  return { kind: 'file', path: path(name), meta: meta(), size, extents: null };
}

const attributes = meta({
  mode: 0o4751,
  uid: 3_000_000,
  gid: 4_294_967_294,
  mtime: -1_000_000_001n,
  xattrs: { 'security.capability': Buffer.from([1, 0, 0, 2, 0, 0x0a, 0xff]), 'user.a': '' },
});

t.test('law: reading what was packed gives the entries and the contents back', async (t) => {
  const long = Array.from({ length: 20 }, (_, i) => `directory-number-${i}`).join('/');
  const entries: Entry[] = [
    { kind: 'directory', path: path(''), meta: attributes },
    { kind: 'directory', path: path('a'), meta: meta({ mode: 0o1777 }) },
    { ...file('a/empty', 0), meta: attributes },
    file('a/block', 512),
    file('a/large', 1_000_000),
    { kind: 'hardlink', path: path('a/same'), target: path('a/empty') },
    { kind: 'symlink', path: path('a/link'), meta: meta({ mode: 0o777 }), target: '../\xff\n' as Bytes },
    { kind: 'hardlink', path: path('a/link2'), target: path('a/link') },
    { kind: 'char', path: path('a/null'), meta: meta({ xattrs: { 'trusted.a': 'b' } }), major: 1, minor: 3 },
    { kind: 'block', path: path('a/disk'), meta: meta(), major: 259, minor: 70_000 },
    { kind: 'fifo', path: path('a/pipe'), meta: meta() },
    { kind: 'whiteout', path: path('a/gone') },
    { kind: 'opaque', path: path('a') },
    file(long, 3),
    { ...file('x', 1), path: 'not\xffutf8\n' as LayerPath },
  ];
  const contents = (entry: FileEntry): Buffer => Buffer.alloc(entry.size, entry.path.slice(-3), 'latin1');
  const tar = await buffer(packLayer(entries, (entry) => [contents(entry)]));
  const read = readLayer(tar);
  t.strictSame(read.entries, entries);
  for (const entry of entries) {
    if (entry.kind === 'file') t.ok(read.files.get(entry.path)?.equals(contents(entry)), entry.path);
  }
  t.strictSame(
    await buffer(packLayer(entries, (entry) => [contents(entry)])),
    tar,
    'and the same bytes each time',
  );
});

t.test('no entries are the empty layer that everyone knows', async (t) => {
  t.equal(digestOf(await buffer(packLayer([], () => []))), emptyLayerDiffId);
});

t.test('a body is asked for in its turn, in any chunks', async (t) => {
  const log: string[] = [];
  async function* entries(): AsyncGenerator<Entry> {
    for (const name of ['a', 'b']) {
      log.push(`entry ${name}`);
      yield file(name, 5);
    }
  }
  const tar = await buffer(
    packLayer(entries(), async function* ({ path }) {
      log.push(`body ${path}`);
      for (const byte of 'hello') yield Buffer.from(byte);
      log.push(`end ${path}`);
    }),
  );
  t.strictSame(log, ['entry a', 'body a', 'end a', 'entry b', 'body b', 'end b']);
  t.equal(readLayer(tar).files.get(path('b'))?.toString(), 'hello');
});

t.test('what a tar cannot say is refused', async (t) => {
  const cases: Record<string, [entries: Entry[], body: string, code: string]> = {
    'a body that is too short': [[file('a', 3)], 'ab', 'SIZE_MISMATCH'],
    'a body that is too long': [[file('a', 3)], 'abcd', 'SIZE_MISMATCH'],
    'a file that would be read as a whiteout': [[file('d/.wh.x', 0)], '', 'ENTRY_INVALID'],
    'a directory that would be read as a whiteout': [
      [{ kind: 'directory', path: path('.wh.x'), meta: meta() }],
      '',
      'ENTRY_INVALID',
    ],
    'a file that would make its directory opaque': [[file('d/.wh..wh..opq', 0)], '', 'ENTRY_INVALID'],
    'a hardlink before its file': [
      [{ kind: 'hardlink', path: path('a'), target: path('b') }, file('b', 0)],
      '',
      'ENTRY_INVALID',
    ],
    'a hardlink to a directory': [
      [
        { kind: 'directory', path: path('d'), meta: meta() },
        { kind: 'hardlink', path: path('a'), target: path('d') },
      ],
      '',
      'ENTRY_INVALID',
    ],
  };
  for (const [name, [entries, body, code]] of Object.entries(cases)) {
    await t.rejects(buffer(packLayer(entries, () => [Buffer.from(body)])), { code }, name);
  }
});

t.test('whoever stops reading ends the body in progress', async (t) => {
  let ended = false;
  const packed = packLayer([file('a', 2 ** 40)], async function* () {
    try {
      for (;;) yield Buffer.alloc(100_000);
    } finally {
      ended = true;
    }
  });
  await packed.next();
  await packed.return(undefined);
  t.ok(ended);
});
