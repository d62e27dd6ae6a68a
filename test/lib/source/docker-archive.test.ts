import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { digestOf, hexOf } from '../../../lib/digest.js';
import { parseManifest } from '../../../lib/image/manifest.js';
import { mediaTypes } from '../../../lib/image/media-type.js';
import { limits } from '../../../lib/limits.js';
import { readLocation } from '../../../lib/content/location.js';
import { openSource } from '../../../lib/source/open.js';
import type { ImageSource } from '../../../lib/source/source.js';
import { sampleImage, type SampleImage } from '../../support/sample-image.js';
import { writeOuterArchive, type OuterMember } from '../../support/outer-archive.js';

interface Item {
  Config: string;
  RepoTags?: readonly string[] | null;
  Layers: readonly string[];
}

const configName = (image: SampleImage): string => `${hexOf(image.config.digest)}.json`;
const configMember = (image: SampleImage): OuterMember => [
  { name: configName(image) },
  image.blobs.get(image.config.digest)!,
];
const manifestMember = (items: readonly Item[]): OuterMember => [
  { name: 'manifest.json' },
  JSON.stringify(items),
];

/** How others write the layers of an image: members, and what manifest.json calls them. */
const writers: Record<string, (image: SampleImage) => [members: OuterMember[], layers: string[]]> = {
  'podman and skopeo: <diffid>.tar': ({ layers }) => [
    layers.map(({ diffId, tar }) => [{ name: `${hexOf(diffId)}.tar` }, tar]),
    layers.map(({ diffId }) => `${hexOf(diffId)}.tar`),
  ],
  'docker 1.10 to 24: <id>/layer.tar, the same layer again as a symlink': ({ layers }) => [
    [
      ...layers.map(({ tar }, i): OuterMember => [{ name: `id${i}/layer.tar` }, tar]),
      [{ name: 'again/layer.tar', type: 'symlink', linkname: '../id0/layer.tar' }],
    ],
    layers.map((_, i) => (i === 0 ? 'again/layer.tar' : `id${i}/layer.tar`)),
  ],
  'docker 25 and later: an OCI layout as well, uncompressed': ({ layers }) => [
    layers.map(({ diffId, tar }) => [{ name: `blobs/sha256/${hexOf(diffId)}` }, tar]),
    layers.map(({ diffId }) => `blobs/sha256/${hexOf(diffId)}`),
  ],
  'docker with the containerd store: compressed blobs': ({ layers, blobs }) => [
    layers.map(({ blob }) => [{ name: `blobs/sha256/${hexOf(blob.digest)}` }, blobs.get(blob.digest)!]),
    layers.map(({ blob }) => `blobs/sha256/${hexOf(blob.digest)}`),
  ],
  'bazel: compressed layers under any name': ({ layers, blobs }) => [
    layers.map(({ blob }, i) => [{ name: `./layer${i}.tar.gz` }, blobs.get(blob.digest)!]),
    layers.map((_, i) => `layer${i}.tar.gz`),
  ],
};

async function open(t: Test, members: readonly OuterMember[], choice = ''): Promise<ImageSource> {
  const directory = t.testdir();
  const temporary = join(directory, 'temporary');
  await mkdir(temporary, { recursive: true });
  const file = await writeOuterArchive(join(directory, 'a.tar'), members);
  return openSource(`docker-archive:${file}${choice}`, { temporary });
}

for (const [writer, write] of Object.entries(writers)) {
  t.test(`layers as written by ${writer}`, async (t) => {
    const image = await sampleImage();
    const [members, layers] = write(image);
    const item = { Config: configName(image), RepoTags: ['debian:12'], Layers: layers };
    await using source = await open(t, [...members, configMember(image), manifestMember([item])]);
    const [root, ...others] = await source.roots();
    t.equal(others.length, 0);
    t.equal(root?.name, 'docker.io/library/debian:12');
    const manifest = parseManifest(await source.readBlob(root!.descriptor, limits.manifestSize));
    t.equal(manifest.config.digest, image.config.digest, 'the image keeps its id');
    t.equal(manifest.config.mediaType, mediaTypes.ociConfig);
    t.strictSame(
      await source.readBlob(manifest.config, limits.configSize),
      image.blobs.get(image.config.digest),
    );
    t.equal(manifest.layers.length, image.layers.length);
    for (const [i, layer] of manifest.layers.entries()) {
      const { diffId, tar, blob } = image.layers[i]!;
      const isCompressed = layer.mediaType === mediaTypes.ociLayerGzip;
      t.strictSame(
        [layer.digest, layer.size],
        isCompressed ? [blob.digest, blob.size] : [diffId, tar.length],
      );
      t.equal(digestOf(await buffer(readLocation(await source.locateBlob(layer)))), layer.digest);
    }
  });
}

t.test('a name or position chooses among several images that share a layer', async (t) => {
  const base = { etc: 'base' };
  const [a, b] = [await sampleImage([base, { a: 'a' }]), await sampleImage([base, { b: 'b' }])];
  const layerMembers = new Map<string, OuterMember>(
    [...a.layers, ...b.layers].map(({ diffId, tar }) => [diffId, [{ name: `${hexOf(diffId)}.tar` }, tar]]),
  );
  const item = (image: SampleImage, tags: readonly string[] | null): Item => ({
    Config: configName(image),
    RepoTags: tags,
    Layers: image.layers.map(({ diffId }) => `${hexOf(diffId)}.tar`),
  });
  const members = [
    ...layerMembers.values(),
    configMember(a),
    configMember(b),
    manifestMember([item(a, ['debian:12', 'ghcr.io/o/a:1']), item(b, null)]),
  ];
  const cases: [choice: string, expected: (readonly [SampleImage, string | undefined])[]][] = [
    [':debian:12', [[a, 'docker.io/library/debian:12']]],
    [':docker.io/library/debian:12', [[a, 'docker.io/library/debian:12']]],
    [':ghcr.io/o/a:1', [[a, 'ghcr.io/o/a:1']]],
    [':@1', [[b, undefined]]],
    [
      ':@0',
      [
        [a, 'docker.io/library/debian:12'],
        [a, 'ghcr.io/o/a:1'],
      ],
    ],
    [
      '',
      [
        [a, 'docker.io/library/debian:12'],
        [a, 'ghcr.io/o/a:1'],
        [b, undefined],
      ],
    ],
  ];
  for (const [choice, expected] of cases) {
    await t.test(choice || 'no choice', async (t) => {
      await using source = await open(t, members, choice);
      const found = [];
      for (const { descriptor, name } of await source.roots()) {
        const manifest = parseManifest(await source.readBlob(descriptor, limits.manifestSize));
        found.push([manifest.config.digest, name]);
      }
      t.strictSame(
        found,
        expected.map(([image, name]) => [image.config.digest, name]),
      );
    });
  }
  await t.test('what is not there', async (t) => {
    const message = /there are: docker\.io\/library\/debian:12, @1/;
    await t.rejects(open(t, members, ':debian:13'), { code: 'IMAGE_NOT_FOUND', message });
  });
});

t.test('an archive that does not hold what it must', async (t) => {
  const image = await sampleImage([{ a: 'a' }]);
  const [{ diffId, tar }] = image.layers as [SampleImage['layers'][number]];
  const layer = `${hexOf(diffId)}.tar`;
  const item = { Config: configName(image), RepoTags: ['a:1'], Layers: [layer] };
  const whole: OuterMember[] = [[{ name: layer }, tar], configMember(image), manifestMember([item])];
  const config = JSON.parse(image.blobs.get(image.config.digest)!.toString()) as object;
  const withConfig = (changes: object): OuterMember[] => [
    ...whole,
    [{ name: configName(image) }, JSON.stringify({ ...config, ...changes })],
  ];
  const cases: Record<string, [members: OuterMember[], code: string]> = {
    'no manifest.json': [whole.slice(0, 2), 'ARCHIVE_INVALID'],
    'only the form before Docker 1.10': [
      [...whole.slice(0, 2), [{ name: 'repositories' }, '{}']],
      'ARCHIVE_INVALID',
    ],
    'manifest.json is no JSON': [[...whole, [{ name: 'manifest.json' }, '[{']], 'MANIFEST_INVALID'],
    'manifest.json is no list': [[...whole, [{ name: 'manifest.json' }, '{}']], 'MANIFEST_INVALID'],
    'manifest.json without images': [[...whole, manifestMember([])], 'IMAGE_NOT_FOUND'],
    'a tag that is none': [
      [...whole, manifestMember([{ ...item, RepoTags: ['../../x:1'] }])],
      'MANIFEST_INVALID',
    ],
    'no config': [whole.filter((_, i) => i !== 1), 'BLOB_MISSING'],
    'no layer': [whole.slice(1), 'BLOB_MISSING'],
    'a layer outside (CVE-2014-9356)': [
      [...whole, manifestMember([{ ...item, Layers: ['../../etc/passwd'] }])],
      'BLOB_MISSING',
    ],
    'a layer that is a link outside': [
      [...whole, [{ name: layer, type: 'symlink', linkname: '/etc/passwd' }]],
      'BLOB_MISSING',
    ],
    'fewer layers than diff_ids': [[...whole, manifestMember([{ ...item, Layers: [] }])], 'MANIFEST_INVALID'],
    'a diffID that is a path': [
      withConfig({ rootfs: { type: 'layers', diff_ids: ['sha256:../../etc'] } }),
      'DIGEST_INVALID',
    ],
    'a layer compressed with xz': [
      [...whole, [{ name: layer }, Buffer.from('fd377a585a000004e6d6b446', 'hex')]],
      'COMPRESSION_UNSUPPORTED',
    ],
  };
  for (const [name, [members, code]] of Object.entries(cases)) {
    await t.test(name, async (t) => {
      await t.rejects(open(t, members), { code });
    });
  }
});

t.test('a layer that is not the one its config claims is found out by whoever reads it', async (t) => {
  const [image, other] = [await sampleImage([{ a: 'a' }]), await sampleImage([{ a: 'b' }])];
  const members: OuterMember[] = [
    [{ name: 'l.tar' }, other.layers[0]!.tar],
    configMember(image),
    manifestMember([{ Config: configName(image), Layers: ['l.tar'] }]),
  ];
  await using source = await open(t, members);
  const [root] = await source.roots();
  const manifest = parseManifest(await source.readBlob(root!.descriptor, limits.manifestSize));
  await t.rejects(source.readBlob(manifest.layers[0]!, limits.configSize), { code: 'DIGEST_MISMATCH' });
});

t.test('manifest.json over the limit is not read (CVE-2023-25153)', async (t) => {
  const members: OuterMember[] = [[{ name: 'manifest.json' }, Buffer.alloc(limits.manifestSize + 1, ' ')]];
  await t.rejects(open(t, members), { code: 'LIMIT_EXCEEDED' });
});

t.test('docker load takes compressed archives, and so does import', async (t) => {
  const image = await sampleImage([{ a: 'a' }]);
  const [{ diffId, tar }] = image.layers as [SampleImage['layers'][number]];
  const directory = t.testdir();
  const file = await writeOuterArchive(join(directory, 'a.tar'), [
    [{ name: `${hexOf(diffId)}.tar` }, tar],
    configMember(image),
    manifestMember([{ Config: configName(image), Layers: [`${hexOf(diffId)}.tar`] }]),
  ]);
  const data = await buffer(readLocation({ file, offset: 0, size: 1024 * 8 }));
  const stdin = Readable.from([gzipSync(data)]);
  const source = await openSource('docker-archive:-', { temporary: directory, stdin });
  t.equal((await source.roots()).length, 1);
  await source[Symbol.asyncDispose]();
  t.strictSame(await readdir(directory), ['a.tar']);
});
