import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, lstatSync } from 'node:fs';
import { readFile, readdir, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import t from 'tap';
import { writeOutput } from '../../../lib/target/output.js';
import { needsRoot } from '../../support/privilege.js';

const hello = [Buffer.from('hel'), Buffer.from('lo')];

async function* failing(): AsyncGenerator<Buffer> {
  yield Buffer.from('hel');
  throw new Error('boom');
}

for (const durable of [true, false]) {
  t.test(`a file appears whole, or is replaced (durable: ${durable})`, async (t) => {
    const directory = t.testdir({ old: 'old contents' });
    for (const name of ['new', 'old']) {
      await writeOutput(hello, join(directory, name), { durable });
      t.equal(await readFile(join(directory, name), 'utf8'), 'hello', name);
    }
    t.strictSame((await readdir(directory)).sort(), ['new', 'old'], 'and nothing else');
    await writeFile(join(directory, 'like'), '');
    const modes = await Promise.all(
      ['new', 'like'].map(async (name) => (await stat(join(directory, name))).mode),
    );
    t.equal(modes[0], modes[1], 'the umask decides its mode');
  });
}

t.test('a symlink to a file stays one', async (t) => {
  const directory = t.testdir({ elsewhere: { file: 'old' } });
  await symlink('elsewhere/file', join(directory, 'link'));
  await writeOutput(hello, join(directory, 'link'), { durable: true });
  t.equal(await readlink(join(directory, 'link')), 'elsewhere/file');
  t.equal(await readFile(join(directory, 'elsewhere/file'), 'utf8'), 'hello');
});

t.test('a failure leaves the file as it was, and nothing beside it', async (t) => {
  const directory = t.testdir({ old: 'old contents', directory: {} });
  const [old, fresh] = [join(directory, 'old'), join(directory, 'new')];
  for (const path of [old, fresh]) {
    await t.rejects(writeOutput(failing(), path, { durable: true }), { message: 'boom' });
    const signal = AbortSignal.abort();
    await t.rejects(writeOutput(hello, path, { durable: true, signal }), { code: 'ABORTED' });
  }
  t.equal(await readFile(old, 'utf8'), 'old contents');
  await t.rejects(writeOutput(hello, join(directory, 'directory'), { durable: true }), {
    code: 'TARGET_EXISTS',
  });
  await t.rejects(writeOutput(hello, join(directory, 'missing/x'), { durable: true }), {
    code: 'FILESYSTEM',
    detail: { errno: 'ENOENT' },
  });
  t.strictSame((await readdir(directory)).sort(), ['directory', 'old']);
});

t.test('a directory that may not be written to is PERMISSION', { skip: needsRoot }, async (t) => {
  const directory = t.testdir({ inner: {} });
  chmodSync(join(directory, 'inner'), 0o555);
  process.seteuid?.(65_534);
  try {
    await t.rejects(writeOutput(hello, join(directory, 'inner', 'x'), { durable: true }), {
      code: 'PERMISSION',
    });
  } finally {
    process.seteuid?.(0);
  }
});

t.test('a stream gets everything and stays open', async (t) => {
  const stream = new PassThrough();
  const read = text(stream);
  await writeOutput(hello, stream, { durable: true });
  await writeOutput(hello, stream, { durable: true });
  stream.end(' there');
  t.equal(await read, 'hellohello there');
});

t.test('it resolves when a slow stream has taken the last byte', async (t) => {
  let taken = 0;
  const slow = new Writable({
    highWaterMark: 1_000_000,
    write(chunk: Buffer, _encoding, done) {
      setTimeout(() => {
        taken += chunk.length;
        done();
      }, 30);
    },
  });
  await writeOutput(hello, slow, { durable: true });
  t.equal(taken, 5);
});

t.test('a stream that breaks is FILESYSTEM', async (t) => {
  const broken = new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    },
  });
  await t.rejects(writeOutput(hello, broken, { durable: true }), {
    code: 'FILESYSTEM',
    detail: { errno: 'EPIPE' },
  });
});

t.test('what is no regular file is written to as it stands', async (t) => {
  const directory = t.testdir();
  const fifo = join(directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const reader = spawn('cat', [fifo]);
  const read = buffer(reader.stdout);
  await writeOutput(hello, fifo, { durable: true });
  t.equal((await read).toString(), 'hello');
  t.ok(lstatSync(fifo).isFIFO());
  await writeFile('/dev/null', '');
  await writeOutput(hello, '/dev/null', { durable: true });
  t.ok(lstatSync('/dev/null').isCharacterDevice(), '/dev/null is still what it was');
});
