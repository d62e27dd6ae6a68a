import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { digestOf, hexOf } from '../../../lib/digest.js';
import { parseManifest } from '../../../lib/image/manifest.js';
import { parseReference } from '../../../lib/image/reference.js';
import { limits } from '../../../lib/limits.js';
import { readLocation } from '../../../lib/content/location.js';
import { openSource } from '../../../lib/source/open.js';
import { writeDockerArchive } from '../../../lib/target/docker-archive.js';
import { writeOciArchive } from '../../../lib/target/oci-archive.js';
import { sampleImage } from '../../support/sample-image.js';

const durable = { durable: true };

t.test('law: an oci-archive gives back the image that was written, byte for byte', async (t) => {
  const layer = { etc: 'same' };
  const image = await sampleImage([layer, { a: 'a' }, layer]);
  const file = join(t.testdir(), 'a.tar');
  for (const name of ['docker.io/library/debian:12', undefined]) {
    await writeOciArchive(image.oci, file, name, durable);
    await using source = await openSource(`oci-archive:${file}`, { temporary: t.testdirName });
    const [root, ...others] = await source.roots();
    t.equal(others.length, 0);
    t.equal(root?.name, name);
    t.equal(root?.descriptor.digest, image.manifest.digest);
    for (const descriptor of image.oci.blobs) {
      t.strictSame(await source.readBlob(descriptor, limits.configSize), image.blobs.get(descriptor.digest));
    }
  }
  const stream = new PassThrough();
  const written = buffer(stream);
  await writeOciArchive(image.oci, stream, undefined, durable);
  stream.end();
  t.strictSame(await written, await readFile(file), 'the same bytes to a stream');
});

t.test('law: a docker-archive gives back the config and the uncompressed layers', async (t) => {
  const layer = { etc: 'same' };
  const image = await sampleImage([layer, { a: 'a' }, layer]);
  const file = join(t.testdir(), 'a.tar');
  await writeDockerArchive(
    image.docker,
    file,
    [parseReference('debian:12'), parseReference('ghcr.io/o/n:1')],
    durable,
  );
  await using source = await openSource(`docker-archive:${file}`, { temporary: t.testdirName });
  const roots = await source.roots();
  t.strictSame(
    roots.map(({ name }) => name),
    ['docker.io/library/debian:12', 'ghcr.io/o/n:1'],
  );
  const manifest = parseManifest(await source.readBlob(roots[0]!.descriptor, limits.manifestSize));
  t.equal(manifest.config.digest, image.config.digest);
  for (const [i, layer] of manifest.layers.entries()) {
    t.equal(layer.digest, image.layers[i]?.diffId);
    t.strictSame(await buffer(readLocation(await source.locateBlob(layer))), image.layers[i]?.tar);
  }
});

t.test('the members of a docker-archive are called what docker load looks for', async (t) => {
  const image = await sampleImage([{ a: 'a' }]);
  const file = join(t.testdir(), 'a.tar');
  await writeDockerArchive(image.docker, file, [], durable);
  const data = await readFile(file);
  const hex = hexOf(image.layers[0]!.diffId);
  const manifest = `[{"Config":"${hexOf(digestOf(image.docker.config))}.json","RepoTags":[],"Layers":["${hex}.tar"]}]`;
  t.ok(data.includes(manifest), manifest);
});

t.test('what cannot be written is refused, and no archive appears', async (t) => {
  const image = await sampleImage([{ a: 'a' }]);
  const directory = t.testdir();
  const file = join(directory, 'a.tar');
  const [layer] = image.docker.layers;
  const altered = Buffer.alloc(layer!.size);
  const withLayer = (changes: object) => ({ ...image.docker, layers: [{ ...layer!, ...changes }] });
  const digest = `sha256:${'0'.repeat(64)}`;
  await t.rejects(writeDockerArchive(image.docker, file, [parseReference(`a@${digest}`)], durable), {
    code: 'REFERENCE_INVALID',
  });
  await t.rejects(
    writeDockerArchive(withLayer({ read: () => [altered] }), file, [], durable),
    { code: 'DIGEST_MISMATCH' },
    'a layer that is another than its diffID says',
  );
  await t.rejects(
    writeDockerArchive(withLayer({ read: () => [altered.subarray(1)] }), file, [], durable),
    { code: 'SIZE_MISMATCH' },
    'a layer that is too short',
  );
  await t.rejects(
    writeOciArchive(
      {
        ...image.oci,
        read: async function* () {
          yield Buffer.alloc(1);
        },
      },
      file,
      undefined,
      durable,
    ),
    { code: 'SIZE_MISMATCH' },
    'a blob that is too short',
  );
  const signal = AbortSignal.abort();
  await t.rejects(writeOciArchive(image.oci, file, undefined, { durable: true, signal }), {
    code: 'ABORTED',
  });
  t.strictSame(await readdir(directory), []);
});
