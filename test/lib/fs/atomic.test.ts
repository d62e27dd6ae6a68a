import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  makeDirectoryDurable,
  removeFileDurable,
  renameDurable,
  syncDirectory,
  syncFile,
  temporaryName,
  writeFileAtomic,
} from '../../../lib/fs/atomic.js';

for (const durable of [true, false]) {
  const options = { durable };

  t.test(`writeFileAtomic, durable: ${durable}`, async (t) => {
    const directory = t.testdir({ old: 'before', tmp: {} });
    await writeFileAtomic(join(directory, 'new'), 'text', options);
    t.equal(readFileSync(join(directory, 'new'), 'utf8'), 'text', 'makes a file');
    t.equal(statSync(join(directory, 'new')).mode & 0o777, 0o600, 'that others cannot read');
    await writeFileAtomic(join(directory, 'old'), Buffer.from('after'), {
      ...options,
      temporaryDirectory: join(directory, 'tmp'),
    });
    t.equal(readFileSync(join(directory, 'old'), 'utf8'), 'after', 'replaces one');
    t.same(readdirSync(directory).sort(), ['new', 'old', 'tmp'], 'leaves nothing beside it');
    t.same(readdirSync(join(directory, 'tmp')), [], 'nor where it was written');
  });

  t.test(`writeFileAtomic that fails, durable: ${durable}`, async (t) => {
    const directory = t.testdir({ full: { file: '' } });
    await t.rejects(writeFileAtomic(join(directory, 'missing', 'file'), 'x', options), { code: 'ENOENT' });
    await t.rejects(writeFileAtomic(join(directory, 'full'), 'x', options), { code: 'EISDIR' });
    t.same(readdirSync(directory), ['full'], 'leaves everything as it was');
  });

  t.test(`makeDirectoryDurable, durable: ${durable}`, async (t) => {
    const directory = t.testdir({ open: {}, file: '' });
    chmodSync(join(directory, 'open'), 0o755);
    await makeDirectoryDurable(join(directory, 'a', 'b', 'c'), options);
    for (const path of ['a', 'a/b', 'a/b/c']) {
      t.equal(statSync(join(directory, path)).mode & 0o777, 0o700, `${path} is private`);
    }
    await makeDirectoryDurable(join(directory, 'open'), options);
    t.equal(statSync(join(directory, 'open')).mode & 0o777, 0o755, 'one that exists stays as it is');
    await t.rejects(makeDirectoryDurable(join(directory, 'file', 'a'), options), { code: 'ENOTDIR' });
  });

  t.test(`renameDurable and removeFileDurable, durable: ${durable}`, async (t) => {
    const directory = t.testdir({ a: '1', b: '2', layer: { x: '' } });
    await renameDurable(join(directory, 'a'), join(directory, 'b'), options);
    t.equal(readFileSync(join(directory, 'b'), 'utf8'), '1', 'a file is replaced');
    await renameDurable(join(directory, 'layer'), join(directory, 'final'), options);
    t.ok(existsSync(join(directory, 'final', 'x')), 'a directory moves whole');
    await removeFileDurable(join(directory, 'b'), options);
    await removeFileDurable(join(directory, 'b'), options);
    t.notOk(existsSync(join(directory, 'b')), 'removing twice is no error');
    await t.rejects(removeFileDurable(join(directory, 'final'), options), { code: 'EISDIR' });
  });
}

t.test('syncFile and syncDirectory name what they cannot open', async (t) => {
  const directory = t.testdir({ file: 'x' });
  await syncFile(join(directory, 'file'));
  await syncDirectory(directory);
  await t.rejects(syncFile(join(directory, 'none')), { code: 'ENOENT', path: join(directory, 'none') });
  await t.rejects(syncDirectory(join(directory, 'none')), { code: 'ENOENT', path: join(directory, 'none') });
});

t.test('temporary names differ, are hidden, and fit', async (t) => {
  const directory = t.testdir();
  const stem = 'n'.repeat(255);
  const names = [temporaryName(directory, stem), temporaryName(directory, stem)];
  t.not(names[0], names[1]);
  for (const name of names) {
    writeFileSync(name, '');
    mkdirSync(temporaryName(directory, 'layer'));
  }
  t.ok(readdirSync(directory).every((name) => name.startsWith('.')));
});
