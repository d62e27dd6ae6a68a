import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { bytes, type LayerPath } from '../../../lib/bytes.js';
import { codeOf } from '../../../lib/errors.js';
import { xxhash } from '../../../lib/hash.js';
import { dumpIndex } from '../../../lib/layer/dump.js';
import { encodeIndex } from '../../../lib/layer/index-encode.js';
import {
  headerWord,
  recordWord,
  recordWords,
  sectionNames,
  type SectionName,
} from '../../../lib/layer/index-format.js';
import { LayerIndex } from '../../../lib/layer/layer-index.js';
import {
  device,
  directory,
  fifo,
  file,
  hardlink,
  lowerHardlink,
  symlink,
  tree,
  whiteout,
  type Plan,
} from '../../support/layer-nodes.js';

/** Records: 0 root, 1 a, 2 b, 3 c, 4 d, 5 e, 6 f, 7 g, 8 d/x, 9 d/y. */
const original = await encodeIndex(
  tree({
    '': directory({ mode: 0o755, mtime: 5n }),
    a: file({ size: 1024, dataOffset: 512, xattrs: { 'user.k': 'value' } }),
    b: hardlink('a'),
    c: symlink('d/x'),
    'd/x': file({
      size: 4096,
      extents: [
        { offset: 0, size: 512 },
        { offset: 1024, size: 512 },
      ],
      dataOffset: 2048,
    }),
    'd/y': hardlink('a'),
    e: whiteout(),
    f: device('char', 1, 3),
    g: lowerHardlink('usr/h'),
  }),
  { tarSize: 4096 },
);

async function resealed(buffer: Buffer): Promise<Buffer> {
  const end = buffer.length - 8;
  buffer.writeBigUInt64LE((await xxhash()).h64Raw(buffer.subarray(0, end)), end);
  return buffer;
}

/** What must hold for every index that is accepted. */
function exercise(t: Test, index: LayerIndex): void {
  let seen = 0;
  for (const record of index.walk()) {
    seen++;
    if (index.lookup(index.path(record)) !== record) t.fail(`record ${record} is not found by its path`);
    if (!index.names(record).includes(record)) t.fail(`record ${record} is none of its own names`);
    if (index.linkCount(record) !== index.names(record).length)
      t.fail(`record ${record}: names and count differ`);
    if (index.kind(index.inode(record)) === 'hardlink' && index.lowerTarget(record) === null) {
      t.fail(`record ${record} is a hardlink to a hardlink`);
    }
    index.meta(record);
    index.extents(record);
    index.dataOffset(record);
    index.contentHash(record);
  }
  if (seen !== index.count) t.fail('not every record is in the tree');
  dumpIndex(index);
}

/** INDEX_INVALID, or an index that works: nothing else. */
async function decoded(t: Test, buffer: Buffer, what: string): Promise<'accepted' | 'refused'> {
  try {
    exercise(t, await LayerIndex.decode(buffer));
    return 'accepted';
  } catch (error) {
    if (codeOf(error) !== 'INDEX_INVALID') t.fail(what, { error });
    return 'refused';
  }
}

t.test('cut short at every length', async (t) => {
  for (let length = 0; length < original.length; length++) {
    const result = await decoded(t, original.subarray(0, length), `${length} bytes`);
    if (result === 'accepted') t.fail(`${length} of ${original.length} bytes were accepted`);
  }
  t.equal(await decoded(t, original, 'whole'), 'accepted');
});

t.test('any byte altered is noticed', async (t) => {
  for (let at = 0; at < original.length; at++) {
    const damaged = Buffer.from(original);
    damaged[at] = (damaged[at] ?? 0) ^ 0x10;
    if ((await decoded(t, damaged, `byte ${at}`)) === 'accepted') t.fail(`byte ${at} may be altered`);
  }
});

t.test('any byte altered under a right checksum: refused, or still an index', async (t) => {
  const results = { accepted: 0, refused: 0 };
  for (let at = 0; at < original.length - 8; at++) {
    for (const flip of [0x01, 0x02, 0x10, 0x80, 0xff]) {
      const damaged = Buffer.from(original);
      damaged[at] = (damaged[at] ?? 0) ^ flip;
      results[await decoded(t, await resealed(damaged), `byte ${at} ^ ${flip}`)]++;
    }
  }
  t.ok(results.accepted > 1000, 'owners, times and hashes may be anything');
  t.ok(results.refused > 1000, 'structure may not');
});

function section(buffer: Buffer, name: SectionName): number {
  return buffer.readUInt32LE((headerWord.sections + 2 * sectionNames.indexOf(name)) * 4);
}

function sectionOffset(name: SectionName): number {
  return section(original, name);
}

/** Where a word of a record is in the file. */
function at(record: number, word: number): number {
  return sectionOffset('records') + (record * recordWords + word) * 4;
}

t.test('damage under a right checksum', async (t) => {
  const names = sectionOffset('names');
  const cases: Record<string, (buffer: Buffer) => void> = {
    'a later version': (b) => b.writeUInt32LE(2, headerWord.version * 4),
    'an unknown flag of the layer': (b) => b.writeUInt32LE(8, headerWord.flags * 4),
    'a size that is not the file': (b) => b.writeUInt32LE(b.length + 8, headerWord.fileSize * 4),
    'another kind of file': (b) => b.write('LFSINDEY'),
    'a section of records that is too small': (b) => b.writeUInt32LE(64, (headerWord.sections + 1) * 4),
    'no records': (b) => b.writeUInt32LE(0, headerWord.recordCount * 4),
    'fewer records than there are': (b) => b.writeUInt32LE(9, headerWord.recordCount * 4),
    'too few sections': (b) => b.writeUInt32LE(6, headerWord.sectionCount * 4),
    'more sections than the file can list': (b) => b.writeUInt32LE(2 ** 31, headerWord.sectionCount * 4),
    'a section beyond the end': (b) => b.writeUInt32LE(b.length, (headerWord.sections + 13) * 4),
    'sections on each other': (b) => b.writeUInt32LE(96, (headerWord.sections + 2) * 4),
    'a root that is a file': (b) => b.writeUInt32LE(0o100644 * 0x10000, at(0, recordWord.packed)),
    'a directory in itself': (b) => b.writeUInt32LE(4, at(4, recordWord.parent)),
    'children that lie elsewhere': (b) => b.writeUInt32LE(1, at(4, recordWord.firstChild)),
    'children beyond the end': (b) => b.writeUInt32LE(2 ** 32 - 1, at(4, recordWord.childCount)),
    'records outside the tree': (b) => b.writeUInt32LE(1, at(4, recordWord.childCount)),
    'a parent that is a file': (b) => b.writeUInt32LE(1, at(8, recordWord.parent)),
    'an empty name': (b) => b.writeUInt8(0, at(1, recordWord.packed)),
    'the name .': (b) => b.write('.', names + original.readUInt32LE(at(1, recordWord.nameOffset))),
    'a name beyond the heap': (b) => b.writeUInt32LE(1000, at(1, recordWord.nameOffset)),
    'a slash in a name': (b) => b.write('/', names),
    'a zero byte in a name': (b) => b.write('\0', names),
    'names out of order': (b) => b.write('zb', names),
    'two equal names': (b) => b.write('aa', names),
    'an unknown kind': (b) => b.writeUInt32LE(0xf0000001, at(6, recordWord.packed)),
    'a flag of another kind': (b) => b.writeUInt8(1, at(1, recordWord.packed) + 1),
    'an unknown flag': (b) => b.writeUInt8(0x80, at(1, recordWord.packed) + 1),
    'a second of more than 10^9 nanoseconds': (b) => b.writeUInt32LE(1e9, at(1, recordWord.mtimeNsec)),
    'seconds that no number holds': (b) => b.writeUInt32LE(2 ** 30, at(1, recordWord.mtimeSec + 1)),
    'seconds that no number holds, before the epoch': (b) =>
      b.writeUInt32LE(2 ** 31, at(1, recordWord.mtimeSec + 1)),
    'xattrs between two sets': (b) => b.writeUInt32LE(5, at(1, recordWord.xattrs)),
    'xattrs that are cut short': (b) => b.writeUInt32LE(2, sectionOffset('xattrs') + 4),
    'a file of negative size': (b) => b.writeUInt32LE(0xffffffff, at(1, recordWord.fileSize + 1)),
    'data beyond the tar': (b) => b.writeUInt32LE(4096, at(1, recordWord.dataOffset)),
    'data before the tar': (b) => b.writeUInt32LE(0xffffffff, at(1, recordWord.dataOffset + 1)),
    'a target beyond the heap': (b) => b.writeUInt32LE(1000, at(3, recordWord.targetLength)),
    'a zero byte in a target': (b) => b.write('\0', sectionOffset('targets')),
    'a hardlink that leads out of the root': (b) => b.write('../..', sectionOffset('targets') + 3),
    'a hardlink to the root of a host': (b) => b.write('/', sectionOffset('targets') + 3),
    'a hardlink without a group': (b) => b.writeUInt32LE(0, at(2, recordWord.links)),
    'a hardlink to another inode': (b) => b.writeUInt32LE(3, at(2, recordWord.inode)),
    'a group of one': (b) => b.writeUInt32LE(1, sectionOffset('links') + 4),
    'a group beyond the end': (b) => b.writeUInt32LE(100, sectionOffset('links') + 4),
    'a group of 4 billion': (b) => b.writeUInt32LE(2 ** 32 - 1, sectionOffset('links') + 4),
    'a member that is no hardlink': (b) => b.writeUInt32LE(6, sectionOffset('links') + 12),
    'the same member twice': (b) => b.writeUInt32LE(2, sectionOffset('links') + 16),
    'a member beyond the records': (b) => b.writeUInt32LE(2 ** 31, sectionOffset('links') + 16),
    'a link group of a directory': (b) => b.writeUInt32LE(1, at(4, recordWord.links)),
    'a link group that does not know its name': (b) => b.writeUInt32LE(1, at(6, recordWord.links)),
    'extents of another file': (b) => b.writeUInt32LE(1, sectionOffset('sparse')),
    'extents beyond the section': (b) => b.writeUInt32LE(2, sectionOffset('sparse') + 4),
    'extents in the wrong order': (b) => b.writeUInt32LE(2048, sectionOffset('extents')),
    'an extent beyond the file': (b) => b.writeUInt32LE(8192, sectionOffset('extents') + 16),
    'an extent of negative size': (b) => b.writeInt32LE(-1, sectionOffset('extents') + 12),
    'a sparse file of more bytes than a number holds': (b) =>
      b.writeUInt32LE(2 ** 21, at(8, recordWord.fileSize + 1)),
    'a table of sparse files that is too short': (b) => b.writeUInt32LE(0, (headerWord.sections + 11) * 4),
    'extents beyond the tar': (b) => b.writeUInt32LE(4000, at(8, recordWord.dataOffset)),
    'a sparse file without extents': (b) => b.writeUInt8(4, at(1, recordWord.packed) + 1),
  };
  for (const [name, damage] of Object.entries(cases)) {
    const buffer = Buffer.from(original);
    damage(buffer);
    await t.rejects(LayerIndex.decode(await resealed(buffer)), { code: 'INDEX_INVALID' }, name);
  }
});

t.test('damage that only a small index shows', async (t) => {
  const table = headerWord.sections * 4;
  const records = 96;
  const word = (record: number, i: number): number => records + (record * recordWords + i) * 4;
  const cases: Record<string, [plans: Record<string, Plan>, damage: (buffer: Buffer) => Buffer | number]> = {
    'a tar of negative size': [{}, (b) => b.writeInt32LE(-2, headerWord.tarSize * 4)],
    'a tar of more bytes than a number holds': [
      {},
      (b) => b.writeUInt32LE(2 ** 21, headerWord.tarSize * 4 + 4),
    ],
    'a root that is a fifo': [{}, (b) => b.writeUInt32LE(0o010644 * 0x10000, word(0, recordWord.packed))],
    'no records at all': [
      {},
      (b) => {
        b.writeUInt32LE(0, headerWord.recordCount * 4);
        return b.writeUInt32LE(0, table + 4);
      },
    ],
    'a length that is no multiple of 8': [
      {},
      (b) => {
        const longer = Buffer.concat([b, Buffer.alloc(1)]);
        longer.writeUInt32LE(longer.length, headerWord.fileSize * 4);
        return longer;
      },
    ],
    'a directory that holds itself, and not the root': [
      { a: directory() },
      (b) => {
        b.writeUInt32LE(0, word(0, recordWord.childCount));
        b.writeUInt32LE(1, word(1, recordWord.parent));
        b.writeUInt32LE(1, word(1, recordWord.firstChild));
        return b.writeUInt32LE(1, word(1, recordWord.childCount));
      },
    ],
    'a hardlink to a record that is not there': [
      { a: fifo() },
      (b) => {
        b.writeUInt32LE(1, word(1, recordWord.packed));
        return b.writeUInt32LE(5, word(1, recordWord.inode));
      },
    ],
    'a hardlink to a directory': [
      { a: directory(), b: file(), c: hardlink('b') },
      (b) => {
        b.writeUInt32LE(1, word(1, recordWord.links));
        b.writeUInt32LE(0, word(2, recordWord.links));
        b.writeUInt32LE(1, word(3, recordWord.inode));
        return b.writeUInt32LE(1, section(b, 'links') + 8);
      },
    ],
    'a hardlink to a whiteout': [
      { b: fifo(), c: hardlink('b') },
      (b) => b.writeUInt32LE(0xe0000001, word(1, recordWord.packed)),
    ],
    'the name ..': [{ aa: fifo() }, (b) => b.write('..', section(b, 'names'))],
    'one sparse file twice': [
      { a: file({ size: 9, extents: [] }), b: file({ size: 9, extents: [] }) },
      (b) => b.writeUInt32LE(1, section(b, 'sparse') + 12),
    ],
    'extents of a file that is not sparse': [
      { a: file({ size: 9, extents: [] }), b: file({ size: 9 }) },
      (b) => b.writeUInt32LE(2, section(b, 'sparse')),
    ],
    'extents of what only looks like a record': [
      // Read as a record, the names are a sparse file whose data is not in the tar.
      { [`${'d'.repeat(48)}${'\xff'.repeat(8)}`]: file({ size: 9, extents: [] }) },
      (b) => b.writeUInt32LE(2, section(b, 'sparse')),
    ],
    'extents outside their section': [
      { a: file({ size: 9, extents: [{ offset: 0, size: 9 }] }) },
      (b) => b.writeUInt32LE(1000, section(b, 'sparse') + 4),
    ],
    'a section at no multiple of 8': [
      { a: symlink('bc') },
      (b) => {
        b.writeUInt32LE(b.readUInt32LE(table + 16) + 1, table + 16);
        b.writeUInt32LE(1, table + 20);
        return b.writeUInt32LE(1, word(1, recordWord.targetLength));
      },
    ],
  };
  for (const [name, [plans, damage]] of Object.entries(cases)) {
    const buffer = await encodeIndex(tree(plans), { tarSize: -1 });
    t.equal(await decoded(t, buffer, name), 'accepted');
    const damaged = damage(buffer);
    const sealed = await resealed(typeof damaged === 'number' ? buffer : damaged);
    await t.rejects(LayerIndex.decode(sealed), { code: 'INDEX_INVALID' }, name);
  }
});

t.test('what an index may well be', async (t) => {
  await t.test('at any place in memory', async (t) => {
    const memory = Buffer.alloc(original.length + 1);
    original.copy(memory, 1);
    const index = await LayerIndex.decode(memory.subarray(1));
    t.equal(dumpIndex(index), dumpIndex(await LayerIndex.decode(original)));
  });

  await t.test('one with further sections, by a later writer', async (t) => {
    const table = headerWord.sections * 4;
    const old = original.subarray(table, table + sectionNames.length * 8);
    const later = Buffer.concat([
      original.subarray(0, table),
      old,
      Buffer.alloc(8),
      original.subarray(table + old.length),
    ]);
    later.writeUInt32LE(later.length, headerWord.fileSize * 4);
    later.writeUInt32LE(sectionNames.length + 1, headerWord.sectionCount * 4);
    for (let i = 0; i <= sectionNames.length; i++) {
      later.writeUInt32LE(later.readUInt32LE(table + i * 8) + 8, table + i * 8);
    }
    const index = await LayerIndex.decode(await resealed(later));
    t.equal(dumpIndex(index), dumpIndex(await LayerIndex.decode(original)));
  });
});

t.test('read', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'layer-index-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'index');

  writeFileSync(path, original);
  const index = await LayerIndex.read(path);
  t.equal(index.lookup('d/x' as LayerPath), 8);
  t.equal(index.lookup('d/nothing' as LayerPath), -1);
  t.equal(index.lookup('a/below a file' as LayerPath), -1);
  t.equal(index.child(0, bytes('d')), 4);
  t.equal(index.child(1, bytes('d')), -1, 'a file has no children');

  await t.rejects(LayerIndex.read(join(directory, 'missing')), {
    code: 'FILESYSTEM',
    detail: { errno: 'ENOENT', path: join(directory, 'missing') },
  });
  writeFileSync(path, '');
  await t.rejects(LayerIndex.read(path), { code: 'INDEX_INVALID' }, 'an empty file, as power loss leaves it');
  truncateSync(path, 3 * 2 ** 30);
  await t.rejects(LayerIndex.read(path), { code: 'INDEX_INVALID' }, 'a file of 3 GiB');
});
