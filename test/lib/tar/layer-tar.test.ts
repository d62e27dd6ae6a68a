import t from 'tap';
import type { Bytes, LayerPath } from '../../../lib/bytes.js';
import type { Entry, HardlinkEntry, Meta } from '../../../lib/layer/entry.js';
import { limits } from '../../../lib/limits.js';
import { entryOf, memberOf, memberOfHardlink } from '../../../lib/tar/layer-tar.js';
import type { TarMember, TarWarning } from '../../../lib/tar/reader.js';
import { encodeMember } from '../../../lib/tar/writer.js';
import { b, read } from './support.js';

const path = (text: string): LayerPath => text as LayerPath;

function tarMember(fields: Partial<TarMember>): TarMember {
  return {
    type: 'file',
    path: b('a'),
    linkPath: b(''),
    mode: 0o644,
    uid: 1,
    gid: 2,
    size: 0,
    dataSize: 0,
    mtime: 3n,
    major: 0,
    minor: 0,
    xattrs: new Map(),
    extents: null,
    dataOffset: 512,
    uname: b(''),
    gname: b(''),
    ...fields,
  };
}

function convert(fields: Partial<TarMember>): { entry: Entry | null; warnings: TarWarning[] } {
  const warnings: TarWarning[] = [];
  const entry = entryOf(tarMember(fields), (warning) => warnings.push(warning));
  return { entry, warnings };
}

const meta: Meta = { mode: 0o644, uid: 1, gid: 2, mtime: 3n, xattrs: new Map() };

t.test('members become entries', async (t) => {
  const cases: readonly [name: string, fields: Partial<TarMember>, entry: Entry][] = [
    [
      'file',
      { path: b('./d/f'), size: 7 },
      { kind: 'file', path: path('d/f'), meta, size: 7, extents: null },
    ],
    [
      'sparse file',
      { size: 7, dataSize: 1, extents: [{ offset: 2, size: 1 }] },
      { kind: 'file', path: path('a'), meta, size: 7, extents: [{ offset: 2, size: 1 }] },
    ],
    ['directory', { type: 'directory', path: b('d/') }, { kind: 'directory', path: path('d'), meta }],
    ['the root', { type: 'directory', path: b('./') }, { kind: 'directory', path: path(''), meta }],
    ['fifo', { type: 'fifo' }, { kind: 'fifo', path: path('a'), meta }],
    [
      'symlink, its target as it is',
      { type: 'symlink', linkPath: b('/../x//') },
      { kind: 'symlink', path: path('a'), meta, target: b('/../x//') },
    ],
    [
      'hardlink',
      { type: 'hardlink', linkPath: b('./d/../f') },
      { kind: 'hardlink', path: path('a'), target: path('f') },
    ],
    [
      'absolute hardlink, as kaniko writes it',
      { type: 'hardlink', linkPath: b('/etc/passwd') },
      { kind: 'hardlink', path: path('a'), target: path('etc/passwd') },
    ],
    [
      'char',
      { type: 'char', major: 1, minor: 3 },
      { kind: 'char', path: path('a'), meta, major: 1, minor: 3 },
    ],
    [
      'block',
      { type: 'block', major: 8, minor: 0 },
      { kind: 'block', path: path('a'), meta, major: 8, minor: 0 },
    ],
    ['block 0/0', { type: 'block' }, { kind: 'block', path: path('a'), meta, major: 0, minor: 0 }],
    ['whiteout', { path: b('d/.wh.f') }, { kind: 'whiteout', path: path('d/f') }],
    ['whiteout with data', { path: b('.wh.f'), size: 7 }, { kind: 'whiteout', path: path('f') }],
    ['whiteout of any type', { path: b('.wh.f/'), type: 'directory' }, { kind: 'whiteout', path: path('f') }],
    [
      'whiteout that is a 0/0 device',
      { path: b('.wh.f'), type: 'char' },
      { kind: 'whiteout', path: path('f') },
    ],
    [
      'containerd WhiteoutRelativePath',
      { path: b('dne/../.wh.etc') },
      { kind: 'whiteout', path: path('etc') },
    ],
    [
      'containerd WhiteoutDirectoryName',
      { path: b('.wh.etc/somefile') },
      { kind: 'file', path: path('.wh.etc/somefile'), meta, size: 0, extents: null },
    ],
    ['opaque', { path: b('d/.wh..wh..opq') }, { kind: 'opaque', path: path('d') }],
    ['opaque root', { path: b('.wh..wh..opq') }, { kind: 'opaque', path: path('') }],
    [
      'whiteout of the longest name',
      { path: b(`.wh.${'n'.repeat(255)}`) },
      { kind: 'whiteout', path: path('n'.repeat(255)) },
    ],
  ];
  for (const [name, fields, entry] of cases) t.same(convert(fields), { entry, warnings: [] }, name);
});

t.test('what is refused', async (t) => {
  const cases: readonly [name: string, fields: Partial<TarMember>, code: string][] = [
    ['escape', { path: b('../x') }, 'PATH_ESCAPE'],
    ['escape of a whiteout', { path: b('a/../../.wh.x') }, 'PATH_ESCAPE'],
    ['escape of a hardlink', { type: 'hardlink', linkPath: b('../victim') }, 'PATH_ESCAPE'],
    ['escape of an absolute hardlink', { type: 'hardlink', linkPath: b('/../victim') }, 'PATH_ESCAPE'],
    [
      "CVE-2026-17106: hardlink to the root's sibling",
      { type: 'hardlink', linkPath: b('../dest-evil/secret') },
      'PATH_ESCAPE',
    ],
    [
      'CVE-2021-29136: the root as a symlink',
      { path: b('/.'), type: 'symlink', linkPath: b('/') },
      'ENTRY_INVALID',
    ],
    ['the root as a file', { path: b('') }, 'ENTRY_INVALID'],
    ['the root as a hardlink', { path: b('./'), type: 'hardlink', linkPath: b('a') }, 'ENTRY_INVALID'],
    ['the root as a device', { path: b('a/..'), type: 'char', major: 1 }, 'ENTRY_INVALID'],
    ['hardlink to the root', { type: 'hardlink', linkPath: b('/') }, 'ENTRY_INVALID'],
    ['hardlink to nothing', { type: 'hardlink', linkPath: b('') }, 'ENTRY_INVALID'],
    ['hardlink to itself', { type: 'hardlink', linkPath: b('./a') }, 'ENTRY_INVALID'],
    ['symlink to nothing', { type: 'symlink', linkPath: b('') }, 'ENTRY_INVALID'],
    ['symlink to 4096 bytes', { type: 'symlink', linkPath: b('t'.repeat(4096)) }, 'LIMIT_EXCEEDED'],
    ['whiteout of no name', { path: b('d/.wh.') }, 'ENTRY_INVALID'],
    ['whiteout of .', { path: b('d/.wh..') }, 'ENTRY_INVALID'],
    ['whiteout of ..', { path: b('d/.wh...') }, 'ENTRY_INVALID'],
    ['long name', { path: b('n'.repeat(256)) }, 'LIMIT_EXCEEDED'],
    ['long name in a hardlink', { type: 'hardlink', linkPath: b('n'.repeat(256)) }, 'LIMIT_EXCEEDED'],
    ['long name in a whiteout', { path: b(`.wh.${'n'.repeat(256)}`) }, 'LIMIT_EXCEEDED'],
    ['xattr without namespace', { xattrs: new Map([[b('name'), Buffer.alloc(0)]]) }, 'ENTRY_INVALID'],
    ['xattr of a namespace only', { xattrs: new Map([[b('user.'), Buffer.alloc(0)]]) }, 'ENTRY_INVALID'],
    ['xattr of no namespace', { xattrs: new Map([[b('.name'), Buffer.alloc(0)]]) }, 'ENTRY_INVALID'],
    [
      'xattr with a long name',
      { xattrs: new Map([[b(`user.${'n'.repeat(251)}`), Buffer.alloc(0)]]) },
      'LIMIT_EXCEEDED',
    ],
  ];
  for (const [name, fields, code] of cases)
    t.throws(() => convert(fields), { code, detail: { path: String } }, name);
});

t.test('what is left out, with a warning', async (t) => {
  const dropped: readonly [name: string, fields: Partial<TarMember>, code: string][] = [
    ['AUFS file', { path: b('.wh..wh.aufs') }, 'aufs'],
    ['AUFS directory', { path: b('.wh..wh.plnk/'), type: 'directory' }, 'aufs'],
    ['file in it', { path: b('./.wh..wh.plnk/12.34'), size: 5 }, 'aufs'],
    ['not quite opaque', { path: b('d/.wh..wh..opqX') }, 'aufs'],
    ['0/0 device', { type: 'char' }, 'device-zero'],
  ];
  for (const [name, fields, code] of dropped) {
    const { entry, warnings } = convert(fields);
    t.equal(entry, null, name);
    t.match(warnings, [{ code, path: fields.path ?? 'a', message: String }], name);
  }
});

t.test('xattrs', async (t) => {
  const value = Buffer.from('\0\n\xff', 'latin1');
  const all = ['security.capability', 'security.selinux', 'trusted.overlay.opaque', 'user.a'].map(
    (name): [Bytes, Buffer] => [b(name), value],
  );
  const names = (fields: Partial<TarMember>): [kept: string[], warned: string[]] => {
    const { entry, warnings } = convert({ ...fields, xattrs: new Map(all) });
    if (entry === null || !('meta' in entry)) throw new Error('no attributes');
    for (const kept of entry.meta.xattrs.values()) t.same(kept, value);
    return [[...entry.meta.xattrs.keys()], warnings.map(({ code }) => code)];
  };
  const withUser = ['security.capability', 'trusted.overlay.opaque', 'user.a'];
  t.same(
    names({ type: 'file' }),
    [withUser, ['selinux']],
    'file; overlay marks are escaped where layers are unpacked',
  );
  t.same(names({ type: 'directory' }), [withUser, ['selinux']], 'directory');
  for (const type of ['symlink', 'fifo', 'block'] as const) {
    t.same(
      names({ type, linkPath: b('t') }),
      [withUser.slice(0, 2), ['selinux', 'user-xattr']],
      `${type}: no user.*`,
    );
  }
});

t.test('the longest name of an xattr', async (t) => {
  const xattrs = new Map([[b(`user.${'n'.repeat(250)}`), Buffer.alloc(0)]]);
  t.match(convert({ xattrs }).entry, { meta: { xattrs } });
});

t.test('read(write(entry)) is the entry', async (t) => {
  const xattrs = new Map([[b('security.capability'), Buffer.from([1, 0, 0, 2, 10, 0, 255])]]);
  const odd: Meta = { mode: 0o6755, uid: 3_000_000, gid: 4_294_967_294, mtime: -1n, xattrs };
  const long = path(`${'d'.repeat(200)}/${'\xff'.repeat(255)}`);
  const entries: Exclude<Entry, HardlinkEntry>[] = [
    { kind: 'directory', path: path(''), meta },
    { kind: 'directory', path: path('d'), meta: odd },
    { kind: 'file', path: long, meta: odd, size: 2 ** 40, extents: null },
    { kind: 'fifo', path: path('d/p'), meta },
    { kind: 'symlink', path: path('d/l'), meta: odd, target: b('/x'.repeat(2000)) },
    { kind: 'char', path: path('d/c'), meta, major: 4095, minor: 1_048_575 },
    { kind: 'block', path: path('d/b'), meta, major: 8, minor: 1 },
    { kind: 'whiteout', path: path('w') },
    { kind: 'whiteout', path: path('d/w') },
    { kind: 'whiteout', path: path(`d/${'n'.repeat(255)}`) },
    { kind: 'opaque', path: path('') },
    { kind: 'opaque', path: path('d') },
  ];
  const warn = (warning: TarWarning): void => {
    t.fail(warning.message);
  };
  for (const entry of entries) {
    const input = memberOf(entry);
    const [found] = read(encodeMember({ ...input, size: 0 })).members;
    if (found === undefined) throw new Error('no member');
    t.same(
      entryOf({ ...found, size: input.size ?? 0 }, warn),
      entry,
      `${entry.kind} ${entry.path.slice(0, 10)}`,
    );
  }
  const link: HardlinkEntry = { kind: 'hardlink', path: path('d/h'), target: long };
  const [found] = read(encodeMember(memberOfHardlink(link, odd))).members;
  t.match(
    found,
    { mode: odd.mode, uid: odd.uid, gid: odd.gid, mtime: odd.mtime, xattrs },
    "a hardlink has its file's attributes",
  );
  t.same(found && entryOf(found, warn), link);
});

t.test('whiteouts as containerd writes them', async (t) => {
  const input = memberOf({ kind: 'whiteout', path: path('d/w') });
  t.same(input, { type: 'file', path: 'd/.wh.w', mode: 0, uid: 0, gid: 0, mtime: 0n });
  t.equal(memberOf({ kind: 'opaque', path: path('') }).path, '.wh..wh..opq');
  t.equal(memberOf({ kind: 'directory', path: path(''), meta }).path, './');
  t.equal(memberOf({ kind: 'directory', path: path('d'), meta }).path, 'd/');
});

t.test('limits are those of lib/limits.ts', async (t) => {
  t.throws(() => convert({ path: b('d/'.repeat(limits.pathDepth + 1)) }), { code: 'LIMIT_EXCEEDED' });
});
