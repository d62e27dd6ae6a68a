import t from 'tap';
import { bytes, type LayerPath } from '../../../lib/bytes.js';
import { xxhash } from '../../../lib/hash.js';
import { encodeIndex } from '../../../lib/layer/index-encode.js';
import { LayerIndex } from '../../../lib/layer/layer-index.js';
import type { InodeNode, LayerNode } from '../../../lib/layer/node.js';
import {
  device,
  directory,
  fifo,
  file,
  hardlink,
  indexOf,
  lowerHardlink,
  symlink,
  tree,
  whiteout,
  type Plan,
} from '../../support/layer-nodes.js';
import { Random } from '../../support/random.js';

type Described = Record<string, unknown>;

/** What a tree holds, path by path, without the links between its nodes. */
function describeTree(node: LayerNode, path = ''): Described[] {
  if (node.kind === 'hardlink' && typeof node.to !== 'string') return [describeInode(node.to, path)];
  if (node.kind === 'hardlink') return [{ path, kind: 'hardlink', target: node.to }];
  if (node.kind === 'whiteout') return [{ path, kind: 'whiteout' }];
  if (node.kind !== 'directory') return [describeInode(node, path)];
  const { kind, meta, opaque, implied } = node;
  const children = [...node.children.keys()].sort().flatMap((name) => {
    const child = node.children.get(name);
    return child === undefined ? [] : describeTree(child, path === '' ? name : `${path}/${name}`);
  });
  return [{ path, kind, meta, opaque, implied }, ...children];
}

function describeInode(node: InodeNode, path: string): Described {
  const described: Described = { ...node, path };
  delete described['name'];
  delete described['parent'];
  return described;
}

function describeIndex(index: LayerIndex): Described[] {
  return Array.from(index.walk(), (name) => {
    const record = index.inode(name);
    const path = index.path(name);
    const kind = index.kind(record);
    const meta = index.meta(record);
    switch (kind) {
      case 'hardlink':
        return { path, kind, target: index.lowerTarget(record) };
      case 'whiteout':
        return { path, kind };
      case 'directory':
        return { path, kind, meta, opaque: index.opaque(record), implied: index.implied(record) };
      case 'file': {
        const [size, extents] = [index.size(record), index.extents(record)];
        const [contentHash, dataOffset] = [index.contentHash(record), index.dataOffset(record)];
        return { path, kind, meta, size, extents, contentHash, dataOffset };
      }
      case 'symlink':
        return { path, kind, meta, target: index.target(record) };
      case 'fifo':
        return { path, kind, meta };
      default:
        return { path, kind, meta, major: index.major(record), minor: index.minor(record) };
    }
  });
}

const names = ['a', 'a-b', 'a.b', 'ab', 'b', '\xff\xfe', ' ', 'na\xc3\xafve', '\n', 'z'.repeat(255)];

function randomPlans(random: Random): Record<string, Plan> {
  const plans: Record<string, Plan> = {};
  const directories = [''];
  const inodes: string[] = [];
  for (let i = random.below(40); i >= 0; i--) {
    const parent = random.pick(directories);
    const path = `${parent === '' ? '' : `${parent}/`}${random.pick(names)}`;
    if (path in plans || directories.includes(path)) continue;
    const attributes = {
      mode: random.below(0o10000),
      uid: random.pick([0, 1000, 3_000_000, 2 ** 32 - 2]),
      gid: random.below(2 ** 32 - 1),
      mtime: random.pick([
        0n,
        -1n,
        -1_000_000_001n,
        4_102_444_800_123_456_789n,
        2n ** 63n - 1n,
        -(2n ** 63n),
      ]),
      xattrs: random.pick([
        {},
        { 'user.a': 'x' },
        { 'user.b': '', 'security.capability': Buffer.from([0, 10, 255]) },
      ]),
    };
    const kind = random.below(9);
    if (kind === 0) {
      plans[path] = directory({ ...attributes, opaque: random.chance(0.3), implied: random.chance(0.3) });
      directories.push(path);
      continue;
    }
    if (kind === 1 && inodes.length > 0) plans[path] = hardlink(random.pick(inodes));
    else if (kind === 2) plans[path] = lowerHardlink('usr/lib/below');
    else if (kind === 3) plans[path] = whiteout();
    else {
      plans[path] = random.pick([
        symlink(random.pick(['..', '/etc/x', '\xff', 'x'.repeat(4096)]), attributes),
        device('char', random.below(2 ** 12), random.below(2 ** 20), attributes),
        device('block', 2 ** 32 - 1, 2 ** 32 - 1, attributes),
        fifo(attributes),
        file({ ...attributes, size: 5, contentHash: 2n ** 64n - 1n, dataOffset: 512 * random.below(100) }),
        file({ ...attributes, size: 2 ** 44, extents: [{ offset: 2 ** 40, size: 512 }], dataOffset: 1024 }),
        file({ ...attributes, size: 2 ** 44, extents: [] }),
      ]);
      inodes.push(path);
    }
  }
  return plans;
}

t.test('what is encoded is read back', async (t) => {
  for (let seed = 1; seed <= 100; seed++) {
    const root = tree(randomPlans(new Random(seed)));
    const index = await LayerIndex.decode(await encodeIndex(root, { tarSize: 1_000_000 }));
    t.strictSame(describeIndex(index), describeTree(root), `seed ${seed}`);
  }
});

t.test('every record is found by its path, and by its name in its directory', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const index = await indexOf(randomPlans(new Random(seed)));
    const records = [...index.walk()];
    t.strictSame(
      records.map((record) => index.lookup(index.path(record))),
      records,
      `seed ${seed}`,
    );
    t.strictSame(
      records.slice(1).map((record) => index.child(index.parent(record), index.name(record))),
      records.slice(1),
      `seed ${seed}`,
    );
  }
});

t.test('equal trees give equal bytes, whatever order they were built in', async (t) => {
  const plans: [string, Plan][] = [
    ['', directory({ uid: 1 })],
    ['a', file({ xattrs: { 'user.x': '1', 'user.y': '2' } })],
    ['b', hardlink('a')],
    ['c', symlink('b')],
    ['d/e', whiteout()],
  ];
  const forwards = await encodeIndex(tree(Object.fromEntries(plans)), { tarSize: 0 });
  const order = [0, 4, 3, 1, 2].map((i) => plans[i]!);
  order[3] = ['a', file({ xattrs: { 'user.y': '2', 'user.x': '1' } })];
  const shuffled = await encodeIndex(tree(Object.fromEntries(order)), { tarSize: 0 });
  t.ok(forwards.equals(shuffled));
});

t.test('records lie breadth first, the children of a directory together', async (t) => {
  const index = await indexOf({ 'b/x': file(), 'a/z': file(), 'a/y/deep': file(), c: file() });
  const paths = Array.from({ length: index.count }, (_, record) => index.path(record));
  t.strictSame(paths, ['', 'a', 'b', 'c', 'a/y', 'a/z', 'b/x', 'a/y/deep']);
});

t.test('walk is depth first, in the order of bytes and not of paths', async (t) => {
  const index = await indexOf({ 'a/x': file(), 'a.b': file(), 'a-b': file(), '\xff': file(), 'Z/y': file() });
  t.strictSame(
    [...index.walk()].map((record) => index.path(record)),
    ['', 'Z', 'Z/y', 'a', 'a/x', 'a-b', 'a.b', '\xff'],
  );
});

t.test('hardlinks', async (t) => {
  await t.test('the names of an inode know each other', async (t) => {
    const index = await indexOf({ b: file({ uid: 7 }), a: hardlink('b'), 'c/d': hardlink('a'), e: file() });
    const [a, b, d] = ['a', 'b', 'c/d'].map((path) => index.lookup(path as LayerPath));
    for (const name of [a!, b!, d!]) {
      t.equal(index.inode(name), b);
      t.equal(index.linkCount(name), 3);
      t.strictSame(index.names(name), [b, a, d]);
    }
    t.equal(index.linkTarget(a!), b);
    t.equal(index.linkTarget(b!), -1);
    t.equal(index.linkCount(index.lookup('e' as LayerPath)), 1);
    t.strictSame(index.names(index.lookup('e' as LayerPath)), [index.lookup('e' as LayerPath)]);
  });

  await t.test('an inode without a name of its own is held by the first of its links', async (t) => {
    const root = tree({ x: file({ uid: 7, size: 3 }), b: hardlink('x'), a: hardlink('x') });
    root.children.delete(bytes('x'));
    const index = await LayerIndex.decode(await encodeIndex(root, { tarSize: 0 }));
    const a = index.lookup('a' as LayerPath);
    const b = index.lookup('b' as LayerPath);
    t.equal(index.kind(a), 'file');
    t.equal(index.uid(a), 7);
    t.strictSame(index.names(b), [a, b]);

    root.children.delete(bytes('b'));
    const alone = await LayerIndex.decode(await encodeIndex(root, { tarSize: 0 }));
    t.equal(alone.linkCount(alone.lookup('a' as LayerPath)), 1);
  });
});

t.test('context', async (t) => {
  const cases: Record<string, [Record<string, Plan>, Partial<LayerIndex['context']>, boolean]> = {
    'a layer with every directory': [{ '': directory(), a: directory(), 'a/b': file() }, {}, false],
    'no entry for the root': [{ a: file() }, { rootImplied: true }, false],
    'an implied directory': [{ '': directory(), 'a/b': file() }, { impliedDirectories: true }, true],
    'an implied directory in an opaque one': [
      { '': directory(), a: directory({ opaque: true }), 'a/b/c': file() },
      {},
      false,
    ],
    'an implied directory that is opaque': [
      { '': directory(), a: directory({ opaque: true, implied: true }) },
      { impliedDirectories: true },
      true,
    ],
    'a hardlink to a lower file': [
      { '': directory(), a: lowerHardlink('b') },
      { lowerHardlinks: true },
      true,
    ],
  };
  for (const [name, [plans, context, dependsOnLower]] of Object.entries(cases)) {
    const index = await indexOf(plans);
    t.strictSame(
      index.context,
      { rootImplied: false, impliedDirectories: false, lowerHardlinks: false, ...context },
      name,
    );
    t.equal(index.dependsOnLower, dependsOnLower, name);
  }
});

t.test('what no index can hold', async (t) => {
  await t.rejects(indexOf({ ['n'.repeat(256)]: file() }), { code: 'LIMIT_EXCEEDED' }, 'a name of 256 bytes');
  await t.rejects(
    indexOf({ a: file({ mtime: 2n ** 90n }) }),
    { code: 'ENTRY_INVALID' },
    'a time beyond all times',
  );
});

t.test('equal strings and equal sets of xattrs are stored once', async (t) => {
  const one = await indexOf({
    'a/n': symlink('somewhere/else', { xattrs: { 'user.x': 'y'.repeat(50_000) } }),
  });
  const two = await indexOf({
    'a/n': symlink('somewhere/else', { xattrs: { 'user.x': 'y'.repeat(50_000) } }),
    n: symlink('somewhere/else', { xattrs: { 'user.x': 'y'.repeat(50_000) } }),
  });
  t.equal(two.byteLength - one.byteLength, 64, 'one record more');
  const [a, b] = ['a/n', 'n'].map((path) => two.xattrs(two.lookup(path as LayerPath)));
  t.equal(a, b, 'one Map for both');
});

t.test('every byte of a small index', async (t) => {
  const root = tree({
    '': directory({ mode: 0o755, uid: 1, gid: 2, mtime: -1n }),
    f: file({
      mode: 0o4711,
      size: 5,
      contentHash: 0x0123456789abcdefn,
      dataOffset: 512,
      xattrs: { 'user.k': 'v' },
    }),
    l: symlink('f'),
  });
  const word = (...values: number[]): string =>
    values.map((value) => Buffer.from(Uint32Array.of(value).buffer).toString('hex')).join('');
  const text = (value: string): string => Buffer.from(value).toString('hex');
  const expected = [
    text('LFSINDEX') + word(1, 0, 344, 0, 1024, 0, 3, 7),
    // Sections: records, names, targets, xattrs, links, sparse, extents.
    word(96, 192, 288, 2, 296, 1, 304, 23, 328, 4, 336, 0, 336, 0),
    // The root: parent, name, type and mode, owner; one nanosecond before the epoch; two children from record 1 on.
    word(0, 0, 0o040755 * 0x10000, 1, 2, 999_999_999, 0xffffffff, 0xffffffff, 0, 0, 1, 2, 0, 0, 0, 0),
    // f: xattrs at 4, size 5, data at 512 of the tar.
    word(0, 0, 0o104711 * 0x10000 + 1, 0, 0, 0, 0, 0, 4, 0, 5, 0, 512, 0, 0x89abcdef, 0x01234567),
    // l: target at 0, one byte long.
    word(0, 1, 0o120777 * 0x10000 + 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0),
    text('fl\0\0\0\0\0\0'),
    text('f\0\0\0\0\0\0\0'),
    word(0, 1, 6, 1) + text('user.kv\0'),
    word(0, 0),
  ].join('');
  const buffer = await encodeIndex(root, { tarSize: 1024 });
  t.equal(buffer.subarray(0, -8).toString('hex'), expected);
  t.equal(buffer.readBigUInt64LE(336), (await xxhash()).h64Raw(buffer.subarray(0, 336)));
});
