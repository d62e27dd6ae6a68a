import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { bytes, type Bytes } from '../../../lib/bytes.js';
import { digestOf } from '../../../lib/digest.js';
import { parseConfig } from '../../../lib/image/config.js';
import { parseManifest } from '../../../lib/image/manifest.js';
import { mediaTypes } from '../../../lib/image/media-type.js';
import { defaultPlatform } from '../../../lib/image/platform.js';
import { limits } from '../../../lib/limits.js';
import { readLocation } from '../../../lib/content/location.js';
import { openSource } from '../../../lib/source/open.js';
import { packDirectory } from '../../../lib/source/rootfs-directory.js';
import type { ImageSource, SourceWarning } from '../../../lib/source/source.js';
import {
  AT_FDCWD,
  MNT_DETACH,
  MS_BIND,
  S_IFCHR,
  S_IFSOCK,
  linkat,
  lsetxattr,
  mknodat,
  mount,
  umount2,
  utimensat,
} from '../../../lib/sys/index.js';
import { needsMountNamespace, needsRoot } from '../../support/privilege.js';
import { readLayer } from '../../support/read-layer.js';
import { sampleTar } from '../../support/sample-image.js';
import { lacking, tool } from '../../support/tools.js';

/** The one layer of the source, with everything about it checked. */
async function layerOf(t: Test, source: ImageSource): Promise<{ mediaType: string; data: Buffer }> {
  const roots = await source.roots();
  t.equal(roots.length, 1);
  t.equal(roots[0]?.name, undefined, 'a root file system has no name');
  const manifest = parseManifest(await source.readBlob(roots[0]!.descriptor, limits.manifestSize));
  const config = parseConfig(await source.readBlob(manifest.config, limits.configSize));
  t.match(config, defaultPlatform());
  t.equal(manifest.layers.length, 1);
  t.equal(config.diffIds.length, 1);
  const [layer] = manifest.layers;
  const data = await buffer(readLocation(await source.locateBlob(layer!)));
  t.equal(digestOf(data), layer!.digest);
  const plain = layer!.mediaType === mediaTypes.ociLayer ? data : undefined;
  if (plain !== undefined) t.equal(config.diffIds[0], layer!.digest);
  return { mediaType: layer!.mediaType, data };
}

function pack(t: Test, directory: string, warnings: SourceWarning[] = []): Promise<Buffer> {
  const fd = openSync(directory, 'r');
  t.teardown(() => closeSync(fd));
  return buffer(packDirectory(fd, { onWarning: (warning) => warnings.push(warning) }));
}

async function temporaryOf(t: Test): Promise<string> {
  const temporary = join(t.testdirName, 'temporary');
  await mkdir(temporary, { recursive: true });
  return temporary;
}

t.test('a directory becomes one layer, which goes away with the source', async (t) => {
  const directory = t.testdir({ root: { etc: { motd: 'hello' }, bin: {} } });
  const temporary = await temporaryOf(t);
  const source = await openSource(`rootfs:${directory}/root`, { temporary });
  const { mediaType, data } = await layerOf(t, source);
  t.equal(mediaType, mediaTypes.ociLayer);
  const { entries, files } = readLayer(data);
  t.strictSame(
    entries.map(({ kind, path }) => [kind, path]),
    [
      ['directory', ''],
      ['directory', 'bin'],
      ['directory', 'etc'],
      ['file', 'etc/motd'],
    ],
  );
  t.equal(files.get(bytes('etc/motd') as never)?.toString(), 'hello');
  t.equal((await readdir(temporary)).length, 1);
  await source[Symbol.asyncDispose]();
  t.strictSame(await readdir(temporary), []);
});

t.test('the same tree gives the same tar', async (t) => {
  const directory = t.testdir({ b: { c: '1' }, a: '2' });
  t.strictSame(await pack(t, directory), await pack(t, directory));
});

t.test('names, links and attributes arrive as the host has them', { skip: needsRoot }, async (t) => {
  const directory = t.testdir({ dir: { file: 'hello' } });
  const at = (name: string): Bytes => bytes(join(directory, name));
  const strange = 'name\xff\n' as Bytes;
  writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(strange, 'latin1')]), 'strange');
  chmodSync(join(directory, 'dir/file'), 0o4755);
  linkat(AT_FDCWD, at('dir/file'), AT_FDCWD, at('dir/link'));
  mknodat(AT_FDCWD, at('null'), S_IFCHR | 0o666, 1, 3);
  const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
  lsetxattr(at('dir/file'), bytes('security.capability'), capability);
  lsetxattr(at('dir/file'), bytes('user.mime'), Buffer.from('a\0b'));
  const acl = Buffer.from(
    '0200000001000600ffffffff02000400e803000004000400ffffffff10000600ffffffff20000400ffffffff',
    'hex',
  );
  lsetxattr(at('dir'), bytes('system.posix_acl_default'), acl);
  utimensat(AT_FDCWD, at('dir/file'), 'now', 1_234_567_890_123_456_789n);
  const { entries, files } = readLayer(await pack(t, directory));
  const entry = (path: string): object | undefined => entries.find((entry) => entry.path === path);
  t.match(entry('dir/file'), {
    kind: 'file',
    meta: {
      mode: 0o4755,
      mtime: 1_234_567_890_123_456_789n,
      xattrs: new Map([
        ['security.capability', capability],
        ['user.mime', Buffer.from('a\0b')],
      ]),
    },
  });
  t.match(entry('dir'), { meta: { xattrs: new Map([['system.posix_acl_default', acl]]) } });
  t.strictSame(entry('dir/link'), { kind: 'hardlink', path: 'dir/link', target: 'dir/file' });
  t.match(entry('null'), { kind: 'char', major: 1, minor: 3 });
  t.equal(files.get(strange as never)?.toString(), 'strange');
});

t.test('what a layer cannot carry is left out with a warning', { skip: needsRoot }, async (t) => {
  const directory = t.testdir({ file: 'x', other: 'x' });
  const at = (name: string): Bytes => bytes(join(directory, name));
  mknodat(AT_FDCWD, at('socket'), S_IFSOCK);
  linkat(AT_FDCWD, at('socket'), AT_FDCWD, at('socket2'));
  mknodat(AT_FDCWD, at('whiteout'), S_IFCHR, 0, 0);
  for (const name of ['file', 'other']) {
    lsetxattr(at(name), bytes('trusted.overlay.origin'), Buffer.from('x'));
    lsetxattr(at(name), bytes('user.kept'), Buffer.from('x'));
  }
  const warnings: SourceWarning[] = [];
  const { entries } = readLayer(await pack(t, directory, warnings));
  t.strictSame(
    entries.map((entry) => [entry.path, 'meta' in entry ? [...entry.meta.xattrs.keys()] : []]),
    [
      ['', []],
      ['file', ['user.kept']],
      ['other', ['user.kept']],
    ],
  );
  t.strictSame(
    warnings.map(({ code, path }) => [code, path]),
    [
      ['xattr', 'file'],
      ['socket', 'socket'],
      ['socket', 'socket2'],
      ['whiteout', 'whiteout'],
    ],
    'an xattr is warned of once',
  );
});

t.test('what is mounted in the tree is not part of it', { skip: needsMountNamespace() }, async (t) => {
  const directory = t.testdir({ proc: { below: '' }, 'resolv.conf': 'below', z: 'host' });
  const at = (name: string): Bytes => bytes(join(directory, name));
  mount(bytes('tmpfs'), at('proc'), bytes('tmpfs'), 0);
  mount(at('z'), at('resolv.conf'), null, MS_BIND);
  const warnings: SourceWarning[] = [];
  try {
    mkdirSync(join(directory, 'proc', 'inside'));
    const { entries } = readLayer(await pack(t, directory, warnings));
    t.strictSame(
      entries.map(({ path }) => path),
      ['', 'proc', 'z'],
    );
  } finally {
    umount2(at('proc'), MNT_DETACH);
    umount2(at('resolv.conf'), MNT_DETACH);
  }
  t.strictSame(
    warnings.map(({ code, path }) => [code, path]),
    [
      ['mount-point', 'proc'],
      ['mount-point', 'resolv.conf'],
    ],
  );
});

t.test('a name that a layer would take for a whiteout is refused, and nothing is left behind', async (t) => {
  const directory = t.testdir({ root: { '.wh.x': '' } });
  const temporary = await temporaryOf(t);
  await t.rejects(openSource(`rootfs:${directory}/root`, { temporary }), { code: 'ENTRY_INVALID' });
  t.strictSame(await readdir(temporary), []);
  const signal = AbortSignal.abort();
  await t.rejects(openSource(`rootfs:${directory}/root`, { temporary, signal }), { code: 'ABORTED' });
  t.strictSame(await readdir(temporary), []);
});

t.test('a tar is the layer as it stands', async (t) => {
  const directory = t.testdir();
  const temporary = await temporaryOf(t);
  const tar = await sampleTar({ 'etc/motd': 'hello' });
  // One frame with one raw block: a compressor is not needed for a tar of three blocks.
  const forms: Record<string, [data: Buffer, mediaType: string]> = {
    plain: [tar, mediaTypes.ociLayer],
    gzip: [gzipSync(tar), mediaTypes.ociLayerGzip],
    zstd: [rawZstdFrame(tar), mediaTypes.ociLayerZstd],
  };
  for (const [name, [data, mediaType]] of Object.entries(forms)) {
    const file = join(directory, `${name}.tar`);
    await writeFile(file, data);
    await symlink(file, `${file}.link`);
    for (const text of [`rootfs:${file}`, `rootfs:${file}.link`, 'rootfs:-']) {
      await t.test(`${name} as ${text.slice(-10)}`, async (t) => {
        const stdin = Readable.from([data]);
        await using source = await openSource(text, { temporary, stdin });
        const layer = await layerOf(t, source);
        t.strictSame(layer.data, data);
        t.equal(layer.mediaType, mediaType);
        t.equal((await readdir(temporary)).length, text.endsWith('-') ? 1 : 0, 'a file is read in place');
        const [root] = await source.roots();
        const manifest = parseManifest(await source.readBlob(root!.descriptor, limits.manifestSize));
        const config = parseConfig(await source.readBlob(manifest.config, limits.configSize));
        t.equal(config.diffIds[0], digestOf(tar), 'the diffID is that of the tar');
      });
    }
  }
  await t.rejects(
    openSource('rootfs:-', { temporary, stdin: Readable.from([gzipSync(tar).subarray(0, -10)]) }),
    {
      code: 'COMPRESSION_INVALID',
    },
  );
  const xz = Buffer.from('fd377a585a000004e6d6b446', 'hex');
  await t.rejects(openSource('rootfs:-', { temporary, stdin: Readable.from([xz]) }), {
    code: 'COMPRESSION_UNSUPPORTED',
  });
  t.strictSame(await readdir(temporary), []);
});

t.test('SOURCE_DATE_EPOCH decides the date, so that the same tar gives the same image', async (t) => {
  const temporary = await temporaryOf(t);
  const tar = await sampleTar({ a: 'a' });
  const open = (): Promise<ImageSource> => openSource('rootfs:-', { temporary, stdin: Readable.from([tar]) });
  t.teardown(() => delete process.env['SOURCE_DATE_EPOCH']);
  process.env['SOURCE_DATE_EPOCH'] = '1700000000';
  const digests = [];
  for (let i = 0; i < 2; i++) {
    await using source = await open();
    const [root] = await source.roots();
    digests.push(root!.descriptor.digest);
    const manifest = parseManifest(await source.readBlob(root!.descriptor, limits.manifestSize));
    const config = parseConfig(await source.readBlob(manifest.config, limits.configSize));
    t.equal(config.created, '2023-11-14T22:13:20.000Z');
    t.equal(config.history[0]?.created, config.created);
  }
  t.equal(digests[0], digests[1]);
  for (const text of ['yesterday', '-1', '1e400', '99999999999999999999']) {
    process.env['SOURCE_DATE_EPOCH'] = text;
    await t.rejects(open(), { code: 'UNSUPPORTED' }, text);
  }
  t.strictSame(await readdir(temporary), []);
});

t.test('GNU tar unpacks what was packed', { skip: await lacking('tar') }, async (t) => {
  const directory = t.testdir({ out: {}, root: { dir: { file: 'hello', [`n${'o'.repeat(120)}`]: '' } } });
  writeFileSync(join(directory, 'root', 'dir', 'large'), Buffer.alloc(700_000, 'x'));
  await symlink('dir/file', join(directory, 'root', 'link'));
  utimensat(AT_FDCWD, bytes(join(directory, 'root/dir/file')), 'now', 1_234_567_890_123_456_789n);
  const archive = join(directory, 'layer.tar');
  await writeFile(archive, await pack(t, join(directory, 'root')));
  await tool('tar', '-C', join(directory, 'out'), '-xpf', archive);
  const listing = (root: string): string[] => readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
  t.strictSame(listing(join(directory, 'out')), listing(join(directory, 'root')));
  t.ok(
    readFileSync(join(directory, 'out/dir/large')).equals(readFileSync(join(directory, 'root/dir/large'))),
  );
  t.equal(await tool('diff', '-r', join(directory, 'root'), join(directory, 'out')), '');
  const times = await tool('stat', '-c', '%.9Y', join(directory, 'out/dir/file'));
  t.equal(times.trim(), '1234567890.123456789');
});

/** RFC 8878: a frame of raw blocks, so that the test needs no compressor. */
function rawZstdFrame(data: Buffer): Buffer {
  const header = Buffer.from('28b52ffda000000000', 'hex');
  header.writeUInt32LE(data.length, 5);
  const block = Buffer.alloc(3);
  block.writeUIntLE((data.length << 3) | 1, 0, 3);
  return Buffer.concat([header, block, data]);
}
