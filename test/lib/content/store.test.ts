import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { ContentStore } from '../../../lib/content/store.js';
import { digestOf, hexOf, type Digest } from '../../../lib/digest.js';
import { descriptorOf } from '../../../lib/image/descriptor.js';
import { encodeManifest, parseIndex } from '../../../lib/image/manifest.js';
import { mediaTypes } from '../../../lib/image/media-type.js';

const data = Buffer.from('the bytes of a blob');
const blob = descriptorOf('text/plain', data);

async function open(directory: string, durable = false): Promise<ContentStore> {
  const store = new ContentStore(join(directory, 'content'), { durable });
  await store.init();
  return store;
}

async function* source(...chunks: (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

async function collect(chunks: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += chunk.toString();
  return text;
}

async function digests(store: ContentStore): Promise<Digest[]> {
  const found: Digest[] = [];
  for await (const digest of store.list()) found.push(digest);
  return found.sort();
}

t.test('an empty store is an OCI layout', async (t) => {
  const store = await open(t.testdir());
  t.same(JSON.parse(readFileSync(join(store.directory, 'oci-layout'), 'utf8')), {
    imageLayoutVersion: '1.0.0',
  });
  t.same(parseIndex(readFileSync(join(store.directory, 'index.json'))).manifests, []);
  t.same(await digests(store), []);
  t.equal(statSync(store.directory).mode & 0o777, 0o700, 'that others cannot read');
  await store.writeIndex([{ descriptor: blob, name: 'kept' }]);
  await store.init();
  t.equal(
    parseIndex(readFileSync(join(store.directory, 'index.json'))).manifests.length,
    1,
    'init is idempotent',
  );
});

for (const durable of [true, false]) {
  t.test(`what is put is there, durable: ${durable}`, async (t) => {
    const store = await open(t.testdir(), durable);
    t.equal(await store.has(blob.digest), false);
    await store.put(blob, source('the bytes ', 'of a blob'));
    t.equal(await store.has(blob.digest), true);
    t.equal(await store.size(blob.digest), data.length);
    t.equal(basename(store.path(blob.digest)), hexOf(blob.digest));
    t.equal(await collect(store.read(blob)), data.toString());
    t.same(await store.readAll(blob, 1000), data);
    const long = { digest: digestOf(data, 'sha512'), size: data.length };
    await store.put(long, source(data));
    t.same(await store.readAll(long, 1000), data, 'by sha512 too');
    t.same(await digests(store), [blob.digest, long.digest].sort());
    t.same(await store.putBytes('text/plain', data), blob);
    await store.delete(blob.digest);
    await store.delete(blob.digest);
    t.equal(await store.has(blob.digest), false, 'deleting twice is no error');
  });
}

t.test('wrong bytes leave nothing behind', async (t) => {
  const store = await open(t.testdir());
  const cases: [name: string, source: AsyncIterable<Buffer>, code: string][] = [
    ['other bytes', source('THE BYTES OF A BLOB'), 'DIGEST_MISMATCH'],
    ['too many', source(data, 'x'), 'SIZE_MISMATCH'],
    ['too few', source('the'), 'SIZE_MISMATCH'],
  ];
  for (const [name, bytes, code] of cases) await t.rejects(store.put(blob, bytes), { code }, name);
  const broken = async function* (): AsyncGenerator<Buffer> {
    yield data.subarray(0, 4);
    throw new Error('the source broke');
  };
  await t.rejects(store.put(blob, broken()), { message: 'the source broke' });
  const controller = new AbortController();
  controller.abort();
  await t.rejects(store.put(blob, source(data), { signal: controller.signal }), { code: 'ABORTED' });
  t.same(await digests(store), []);
  t.same(readdirSync(join(store.directory, 'tmp')), []);
});

t.test('what is there is not read again', async (t) => {
  const directory = t.testdir({ file: data });
  const store = await open(directory);
  await store.put(blob, source(data));
  const unread = async function* (): AsyncGenerator<Buffer> {
    t.fail('it was read');
  };
  await store.put(blob, unread());
  const stream = createReadStream(join(directory, 'file'));
  await store.put(blob, stream);
  t.ok(stream.destroyed, 'a stream is closed');
});

t.test('a blob cut short by a loss of power', async (t) => {
  // containerd#10655: pulling again did not heal it
  const store = await open(t.testdir());
  await store.put(blob, source(data));
  writeFileSync(store.path(blob.digest), '');
  await t.rejects(collect(store.read(blob)), { code: 'SIZE_MISMATCH' });
  await t.rejects(store.readAll(blob, 1000), { code: 'SIZE_MISMATCH' });
  await store.put(blob, source(data));
  t.equal(await collect(store.read(blob)), data.toString(), 'is healed by putting it again');
});

t.test('a blob that was altered is not read to a good end', async (t) => {
  const store = await open(t.testdir());
  await store.put(blob, source(data));
  writeFileSync(store.path(blob.digest), 'THE BYTES OF A BLOB');
  await t.rejects(collect(store.read(blob)), { code: 'DIGEST_MISMATCH' });
  await t.rejects(store.readAll(blob, 1000), { code: 'DIGEST_MISMATCH' });
});

t.test('what is not there, or too large', async (t) => {
  const store = await open(t.testdir());
  const error = { code: 'BLOB_MISSING', detail: { digest: blob.digest } };
  await t.rejects(store.size(blob.digest), error);
  await t.rejects(collect(store.read(blob)), error);
  await t.rejects(store.readAll(blob, 1000), error);
  await t.rejects(store.readAll(blob, data.length - 1), { code: 'LIMIT_EXCEEDED' });
});

t.test('a writer that hashes what it writes', async (t) => {
  for (const durable of [true, false]) {
    const store = await open(t.testdir(), durable);
    const temporary = store.temporaryPath();
    writeFileSync(temporary, data);
    t.same(await digests(store), [], 'nothing is visible before');
    await store.adopt(temporary, blob.digest);
    t.notOk(existsSync(temporary));
    t.same(await store.readAll(blob, 1000), data);
    await t.rejects(store.adopt(temporary, blob.digest), { code: 'ENOENT' });
  }
});

t.test('many writers of one blob', async (t) => {
  const store = await open(t.testdir());
  await Promise.all(Array.from({ length: 8 }, () => store.put(blob, source(data))));
  t.same(await digests(store), [blob.digest]);
  t.same(readdirSync(join(store.directory, 'tmp')), []);
});

t.test('files that are no blobs', async (t) => {
  const store = await open(t.testdir());
  writeFileSync(join(store.directory, 'blobs', 'sha256', 'README'), '');
  writeFileSync(join(store.directory, 'blobs', 'sha256', 'A'.repeat(64)), '');
  t.same(await digests(store), []);
});

for (const tool of ['skopeo', 'umoci']) {
  const skip = spawnSync(tool, ['--version']).error ? `${tool} is not installed` : false;
  t.test(`${tool} reads the store as it stands`, { skip }, async (t) => {
    const directory = t.testdir();
    const store = await open(directory);
    const layer = await store.putBytes(mediaTypes.ociLayer, Buffer.alloc(1024));
    const config = await store.putBytes(
      mediaTypes.ociConfig,
      Buffer.from(
        JSON.stringify({
          architecture: 'amd64',
          os: 'linux',
          rootfs: { type: 'layers', diff_ids: [layer.digest] },
          history: [{ created_by: 'a test' }],
        }),
      ),
    );
    const manifest = await store.putBytes(
      mediaTypes.ociManifest,
      encodeManifest({ config, layers: [layer] }),
    );
    await store.writeIndex([{ descriptor: manifest, name: 'latest' }]);
    if (tool === 'umoci') {
      const { stdout, stderr } = spawnSync(tool, ['list', '--layout', store.directory], { encoding: 'utf8' });
      t.equal(stdout, 'latest\n', stderr);
      return;
    }
    const copy = [
      'copy',
      '-q',
      '--insecure-policy',
      `oci:${store.directory}:latest`,
      `dir:${join(directory, 'copy')}`,
    ];
    const { status, stderr } = spawnSync(tool, copy, { encoding: 'utf8' });
    t.equal(status, 0, stderr);
    t.same(
      readFileSync(join(directory, 'copy', hexOf(config.digest))),
      readFileSync(store.path(config.digest)),
    );
  });
}
