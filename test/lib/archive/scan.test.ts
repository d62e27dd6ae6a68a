import { open, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { scanArchive } from '../../../lib/archive/scan.js';
import { limits } from '../../../lib/limits.js';
import { writeOuterArchive, type OuterMember } from '../../support/outer-archive.js';

function archiveOf(t: Test, members: readonly OuterMember[]): Promise<string> {
  return writeOuterArchive(join(t.testdir(), 'a.tar'), members);
}

async function contentOf(file: string, name: string): Promise<string | undefined> {
  const member = (await scanArchive(file)).get(name);
  if (member === undefined) return undefined;
  const data = await readFile(file);
  return data.toString('latin1', member.offset, member.offset + member.size);
}

t.test('members are found by name, wherever they lie', async (t) => {
  const long = 'l'.repeat(300);
  const big = Buffer.alloc(300_000, 'b');
  const file = await archiveOf(t, [
    [{ name: './oci-layout' }, 'plain'],
    [{ name: 'blobs/', type: 'directory' }],
    [{ name: 'blobs//sha256/../big' }, big],
    [{ name: long }, 'long'],
    [{ name: '/rooted' }, 'rooted'],
    [{ name: '../climber' }, 'climber'],
    [{ name: 'empty' }, ''],
    [{ name: 'last' }, 'x'.repeat(513)],
  ]);
  const cases: [name: string, expected: string | undefined][] = [
    ['oci-layout', 'plain'],
    ['./oci-layout', 'plain'],
    ['blobs/big', big.toString('latin1')],
    [long, 'long'],
    ['rooted', 'rooted'],
    ['climber', 'climber'],
    ['empty', ''],
    ['last', 'x'.repeat(513)],
    ['blobs', undefined],
    ['missing', undefined],
  ];
  for (const [name, expected] of cases) t.equal(await contentOf(file, name), expected, name.slice(0, 40));
});

t.test('links lead to members of the archive and nowhere else', async (t) => {
  const file = await archiveOf(t, [
    [{ name: 'a/layer.tar' }, 'layer'],
    [{ name: 'b/layer.tar', type: 'symlink', linkname: '../a/layer.tar' }],
    [{ name: 'c/layer.tar', type: 'symlink', linkname: '../b/layer.tar' }],
    [{ name: 'hard', type: 'link', linkname: 'a/layer.tar' }],
    [{ name: 'early', type: 'symlink', linkname: 'later' }],
    [{ name: 'later' }, 'later'],
    [{ name: 'outside', type: 'symlink', linkname: '../../../../../etc/passwd' }],
    [{ name: 'absolute', type: 'symlink', linkname: '/etc/passwd' }],
    [{ name: 'loop', type: 'symlink', linkname: 'loop' }],
    [{ name: 'device', type: 'character-device' }],
  ]);
  const cases: [name: string, expected: string | undefined][] = [
    ['b/layer.tar', 'layer'],
    ['c/layer.tar', 'layer'],
    ['hard', 'layer'],
    ['early', 'later'],
    ['outside', undefined],
    ['absolute', undefined],
    ['loop', undefined],
    ['device', undefined],
  ];
  for (const [name, expected] of cases) t.equal(await contentOf(file, name), expected, name);
});

t.test('the last member of a name counts, as it would after unpacking', async (t) => {
  const file = await archiveOf(t, [
    [{ name: 'manifest.json' }, 'old'],
    [{ name: 'link', type: 'symlink', linkname: 'manifest.json' }],
    [{ name: './manifest.json' }, 'new'],
    [{ name: 'link' }, 'file'],
  ]);
  t.equal(await contentOf(file, 'manifest.json'), 'new');
  t.equal(await contentOf(file, 'link'), 'file');
});

t.test('long bodies are not read', async (t) => {
  const size = 8 * 1024 * 1024 * 1024;
  const file = await archiveOf(t, [[{ name: 'layer.tar' }, '']]);
  const header = await readFile(file);
  // base-256, as GNU tar writes sizes from 8 GiB on
  header.fill(0, 124, 136).writeUInt8(0x80, 124);
  header.writeBigUInt64BE(BigInt(size), 128);
  header.write('        ', 148, 'latin1');
  const sum = header.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  const sparse = await open(file, 'w');
  await sparse.write(header, 0, 512, 0);
  await sparse.truncate(512 + size + 1024);
  await sparse.close();
  const begun = performance.now();
  t.strictSame((await scanArchive(file)).get('layer.tar'), { offset: 512, size });
  t.ok(performance.now() - begun < 1000, 'in the time that one header takes');
});

t.test('a damaged archive is ARCHIVE_INVALID, wherever it is cut', async (t) => {
  const file = await archiveOf(t, [
    [{ name: 'a' }, 'a'.repeat(600)],
    [{ name: 'n'.repeat(200) }, 'b'],
    [{ name: 'big' }, 'c'.repeat(300_000)],
  ]);
  const whole = await readFile(file);
  const ends = [0, 1536, 3584];
  for (const length of [
    1,
    511,
    513,
    1024,
    1535,
    1537,
    2100,
    3000,
    3585,
    4096,
    200_000,
    whole.length - 1100,
  ]) {
    await writeFile(file, whole.subarray(0, length));
    await t.rejects(scanArchive(file), { code: 'ARCHIVE_INVALID' }, `cut at ${length}`);
  }
  for (const length of ends) {
    await writeFile(file, whole.subarray(0, length));
    await t.resolves(scanArchive(file), `a missing end of archive is forgiven (cut at ${length})`);
  }
  const garbage: Record<string, Buffer> = {
    text: Buffer.from('no tar at all. '.repeat(100)),
    'a changed name': Buffer.from(whole).fill('z', 0, 1),
    'a size that is no number': Buffer.from(whole).fill('?', 124, 135),
  };
  for (const [name, data] of Object.entries(garbage)) {
    await writeFile(file, data);
    await t.rejects(scanArchive(file), { code: 'ARCHIVE_INVALID' }, name);
  }
});

t.test('a file that cannot be read is FILESYSTEM, a cancelled scan is ABORTED', async (t) => {
  const file = await archiveOf(t, [[{ name: 'a' }, 'a']]);
  await t.rejects(scanArchive(`${file}.missing`), { code: 'FILESYSTEM', detail: { errno: 'ENOENT' } });
  await t.rejects(scanArchive(file, { signal: AbortSignal.abort() }), { code: 'ABORTED' });
  await truncate(file, 0);
  t.equal((await scanArchive(file)).size, 0, 'an empty file holds nothing');
});

t.test('a name that no path can have is LIMIT_EXCEEDED', async (t) => {
  const long = 'n'.repeat(limits.pathLength + 1);
  await t.rejects(scanArchive(await archiveOf(t, [[{ name: long }, '']])), { code: 'LIMIT_EXCEEDED' });
  const link: OuterMember = [{ name: 'link', type: 'symlink', linkname: long }];
  await t.rejects(scanArchive(await archiveOf(t, [link])), { code: 'LIMIT_EXCEEDED' });
});
