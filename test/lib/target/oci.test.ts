import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Descriptor } from '../../../lib/image/descriptor.js';
import { openSource } from '../../../lib/source/open.js';
import { writeOci } from '../../../lib/target/oci.js';
import { blobName, type OciExport } from '../../../lib/target/oci-layout.js';
import { sampleImage, type SampleImage } from '../../support/sample-image.js';

const durable = { durable: true };

async function namesIn(directory: string): Promise<[digest: string, name: string | undefined][]> {
  await using source = await openSource(`oci:${directory}`, { temporary: directory });
  return (await source.roots()).map(({ descriptor, name }) => [descriptor.digest, name]);
}

async function assertHolds(t: Test, directory: string, image: SampleImage): Promise<void> {
  for (const [digest, data] of image.blobs) {
    t.strictSame(await readFile(join(directory, blobName(digest))), data);
  }
}

t.test('a new layout holds the image, byte for byte', async (t) => {
  const image = await sampleImage();
  const directory = join(t.testdir(), 'deep', 'layout');
  await writeOci(image.oci, directory, 'v1', durable);
  await assertHolds(t, directory, image);
  t.strictSame(await namesIn(directory), [[image.manifest.digest, 'v1']]);
  t.strictSame((await readdir(directory)).sort(), ['blobs', 'index.json', 'oci-layout']);
  t.strictSame(JSON.parse(await readFile(join(directory, 'oci-layout'), 'utf8')), {
    imageLayoutVersion: '1.0.0',
  });
  t.strictSame(await readdir(join(directory, '..')), ['layout'], 'and nothing is left beside it');
});

t.test('in a layout that exists the image is added, and a name moves', async (t) => {
  const [a, b] = [await sampleImage([{ a: 'a' }]), await sampleImage([{ a: 'b' }])];
  const directory = join(t.testdir(), 'layout');
  const steps: [
    image: SampleImage,
    name: string | undefined,
    expected: [SampleImage, string | undefined][],
  ][] = [
    [a, undefined, [[a, undefined]]],
    [a, 'v1', [[a, 'v1']]],
    [
      b,
      'v2',
      [
        [a, 'v1'],
        [b, 'v2'],
      ],
    ],
    [
      a,
      'v2',
      [
        [a, 'v1'],
        [a, 'v2'],
      ],
    ],
    [
      b,
      undefined,
      [
        [a, 'v1'],
        [a, 'v2'],
        [b, undefined],
      ],
    ],
    [
      a,
      undefined,
      [
        [a, 'v1'],
        [a, 'v2'],
        [b, undefined],
      ],
    ],
    [
      b,
      'v1',
      [
        [a, 'v2'],
        [b, 'v1'],
      ],
    ],
  ];
  for (const [i, [image, name, expected]] of steps.entries()) {
    await writeOci(image.oci, directory, name, durable);
    const names = expected.map(([image, name]) => [image.manifest.digest, name]);
    t.strictSame(await namesIn(directory), names, `step ${i}`);
  }
  await assertHolds(t, directory, a);
  await assertHolds(t, directory, b);
  t.strictSame((await readdir(directory)).sort(), ['blobs', 'index.json', 'oci-layout'], 'the lock is gone');
});

t.test('what others keep in a layout stays', async (t) => {
  const image = await sampleImage([{ a: 'a' }]);
  const other = {
    mediaType: 'application/vnd.example+json',
    digest: image.config.digest,
    size: 3,
    artifactType: 'x/y',
  };
  const index = { schemaVersion: 2, manifests: [other], annotations: { owner: 'me' }, 'x-unknown': [1] };
  const directory = t.testdir({
    'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
    'index.json': JSON.stringify(index),
    blobs: { sha256: { ['0'.repeat(64)]: 'unrelated' } },
  });
  await writeOci(image.oci, directory, 'v1', durable);
  const updated = JSON.parse(await readFile(join(directory, 'index.json'), 'utf8')) as typeof index;
  t.match(updated, { ...index, manifests: [other, { digest: image.manifest.digest }] });
  t.equal(await readFile(join(directory, 'blobs/sha256', '0'.repeat(64)), 'utf8'), 'unrelated');
});

t.test('blobs that are there are not written again, but a damaged one is', async (t) => {
  const image = await sampleImage();
  const directory = join(t.testdir(), 'layout');
  await writeOci(image.oci, directory, 'v1', durable);
  const [layer] = image.layers;
  await writeFile(join(directory, blobName(layer!.blob.digest)), '');
  const read: Descriptor[] = [];
  const counting: OciExport = {
    ...image.oci,
    read: (descriptor) => {
      read.push(descriptor);
      return image.oci.read(descriptor);
    },
  };
  await writeOci(counting, directory, 'v2', durable);
  t.strictSame(read, [layer!.blob], 'zero-byte after a loss of power (containerd#5854)');
  await assertHolds(t, directory, image);
});

t.test('an empty directory becomes a layout', async (t) => {
  const image = await sampleImage([{ a: 'a' }]);
  const directory = t.testdir();
  await writeOci(image.oci, directory, undefined, durable);
  t.strictSame(await namesIn(directory), [[image.manifest.digest, undefined]]);
});

t.test('the name of another layout is not taken along', async (t) => {
  const image = await sampleImage([{ a: 'a' }]);
  const annotations = { 'org.opencontainers.image.ref.name': 'old', kept: 'yes' };
  const renamed = { ...image.oci, root: { ...image.manifest, annotations } };
  const directory = join(t.testdir(), 'layout');
  for (const name of [undefined, 'new']) {
    await writeOci(renamed, directory, name, durable);
    t.strictSame(await namesIn(directory), [[image.manifest.digest, name]]);
  }
  t.match(await readFile(join(directory, 'index.json'), 'utf8'), /"kept":"yes"/);
});

t.test('what is no layout is not written to', async (t) => {
  const image = await sampleImage([{ a: 'a' }]);
  const directory = t.testdir({
    home: { 'notes.txt': 'mine' },
    file: '',
    broken: { 'oci-layout': '', 'index.json': '[' },
  });
  await t.rejects(writeOci(image.oci, join(directory, 'home'), 'v1', durable), { code: 'TARGET_EXISTS' });
  await t.rejects(writeOci(image.oci, join(directory, 'file'), 'v1', durable), { code: 'TARGET_EXISTS' });
  await t.rejects(writeOci(image.oci, join(directory, 'broken'), 'v1', durable), {
    code: 'MANIFEST_INVALID',
  });
  t.strictSame(await readdir(join(directory, 'home')), ['notes.txt']);
});

t.test('a failure leaves no new directory, and in an existing one no image', async (t) => {
  const [image, other] = [await sampleImage(), await sampleImage([{ a: 'a' }])];
  const boom = new Error('boom');
  const failing: OciExport = {
    ...image.oci,
    read: async function* (descriptor) {
      if (descriptor.digest === image.config.digest) throw boom;
      yield* image.oci.read(descriptor);
    },
  };
  const directory = t.testdir();
  const [fresh, existing] = [join(directory, 'fresh'), join(directory, 'existing')];
  await t.rejects(writeOci(failing, fresh, 'v1', durable), boom);
  t.strictSame(await readdir(directory), []);
  await writeOci(other.oci, existing, 'v1', durable);
  await t.rejects(writeOci(failing, existing, 'v1', durable), boom);
  const signal = AbortSignal.abort();
  await t.rejects(writeOci(image.oci, existing, 'v1', { durable: true, signal }), { code: 'ABORTED' });
  await t.rejects(writeOci(image.oci, fresh, 'v1', { durable: true, signal }), { code: 'ABORTED' });
  t.strictSame(await namesIn(existing), [[other.manifest.digest, 'v1']]);
  t.notOk(existsSync(fresh));
});

t.test('several writers of one layout all get in', async (t) => {
  const directory = t.testdir({ parent: {} });
  for (const name of ['fresh', 'empty']) {
    const layout = join(directory, name);
    if (name === 'empty') await mkdir(layout);
    const images = await Promise.all(['a', 'b', 'c', 'd'].map((text) => sampleImage([{ file: text }])));
    await Promise.all(images.map((image, i) => writeOci(image.oci, layout, `v${i}`, durable)));
    const expected = images.map((image, i) => [image.manifest.digest, `v${i}`]);
    t.strictSame((await namesIn(layout)).sort(byName), expected, name);
    await rm(layout, { recursive: true });
  }
  t.strictSame(await readdir(directory), ['parent']);
});

function byName([, a = '']: [string, string | undefined], [, b = '']: [string, string | undefined]): number {
  return a < b ? -1 : 1;
}
