import t from 'tap';
import { digestOf } from '../../../lib/digest.js';
import { descriptorOf, type Descriptor } from '../../../lib/image/descriptor.js';
import { parseIndex } from '../../../lib/image/manifest.js';
import { mediaTypes } from '../../../lib/image/media-type.js';
import { parsePlatform } from '../../../lib/image/platform.js';
import {
  choosePlatform,
  imageDocuments,
  resolveManifest,
  type ImageDocument,
} from '../../../lib/image/resolve.js';
import { limits } from '../../../lib/limits.js';
import { Blobs, encode, index, manifest } from './documents.js';

const { ociManifest, ociIndex, ociConfig, dockerManifestList } = mediaTypes;
const amd64 = parsePlatform('linux/amd64');

/** A manifest of an index, told apart by `name`. */
function entry(name: string, platform?: string): Descriptor {
  const descriptor = { ...descriptorOf(ociManifest, Buffer.from(name)), annotations: { name } };
  if (platform === undefined) return descriptor;
  const [os = '', architecture = '', variant] = platform.split('/');
  return { ...descriptor, platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } };
}

async function all(root: Descriptor, blobs: Blobs): Promise<ImageDocument[]> {
  const documents: ImageDocument[] = [];
  for await (const document of imageDocuments(root, blobs.read)) documents.push(document);
  return documents;
}

t.test('the manifest of an index that fits best', async (t) => {
  const attestation = entry('attestation', 'unknown/unknown');
  const cases: [name: string, manifests: Descriptor[], wanted: string, chosen: string | undefined][] = [
    ['the only one', [entry('a', 'linux/amd64')], 'linux/amd64', 'a'],
    ['the first of equals', [entry('a', 'linux/amd64'), entry('b', 'linux/amd64')], 'linux/amd64', 'a'],
    ['exact before older', [entry('v5', 'linux/arm/v5'), entry('v7', 'linux/arm/v7')], 'linux/arm/v7', 'v7'],
    [
      'the newest of the older',
      [entry('v5', 'linux/arm/v5'), entry('v6', 'linux/arm/v6')],
      'linux/arm/v7',
      'v6',
    ],
    ['no newer one', [entry('v7', 'linux/arm/v7')], 'linux/arm/v6', undefined],
    ['arm64 without its variant', [entry('a', 'linux/arm64/v8')], 'linux/arm64', 'a'],
    ['not an attestation', [attestation, entry('a', 'linux/amd64')], 'linux/amd64', 'a'],
    ['another operating system', [entry('w', 'windows/amd64')], 'linux/amd64', undefined],
    ['one without a platform', [entry('a')], 'linux/amd64', undefined],
    ['nothing', [], 'linux/amd64', undefined],
    [
      'a type nobody knows',
      [{ ...entry('x', 'linux/amd64'), mediaType: 'a/b' }, entry('a', 'linux/amd64')],
      'linux/amd64',
      'a',
    ],
  ];
  for (const [name, manifests, wanted, chosen] of cases) {
    const parsed = parseIndex(encode(index(manifests)));
    t.equal(choosePlatform(parsed, parsePlatform(wanted))?.annotations?.['name'], chosen, name);
  }
});

t.test('a bare manifest is taken as it is', async (t) => {
  const blobs = new Blobs();
  const root = blobs.image('s390x');
  const { descriptor, data, manifest } = await resolveManifest(root, amd64, blobs.read);
  t.equal(descriptor, root);
  t.equal(digestOf(data), root.digest);
  t.equal(manifest.layers.length, 1);
});

t.test('through indexes', async (t) => {
  const on = (descriptor: Descriptor, architecture: string): Descriptor => ({
    ...descriptor,
    platform: { os: 'linux', architecture },
  });
  const blobs = new Blobs();
  const image = blobs.image('amd64');
  const other = blobs.image('arm64');
  const artifact = blobs.add(ociManifest, manifest({ config: descriptorOf('a/b', Buffer.from('{}')) }));
  const nested = blobs.add(ociIndex, index([on(other, 'arm64'), on(image, 'amd64')]));
  const cases: [name: string, manifests: Descriptor[]][] = [
    ['flat', [on(other, 'arm64'), on(image, 'amd64')]],
    ['nested', [nested]],
    ['nested, with a platform', [on(other, 'arm64'), { ...nested, platform: amd64 }]],
    ['nested, of another platform first', [on(nested, 'arm64'), { ...image, platform: amd64 }]],
    ['without platforms: the configs tell', [other, image]],
    ['an artifact among them', [artifact, image]],
    ['the same nested index twice', [on(nested, 'arm64'), nested, nested, image]],
    ['a type nobody knows', [descriptorOf('a/b', Buffer.from('x')), image]],
  ];
  for (const [name, manifests] of cases) {
    for (const mediaType of [ociIndex, dockerManifestList]) {
      const root = blobs.add(mediaType, index(manifests, { mediaType }));
      t.equal((await resolveManifest(root, amd64, blobs.read)).descriptor.digest, image.digest, name);
    }
  }
});

t.test('one with a platform is asked before others are read', async (t) => {
  const blobs = new Blobs();
  const image = { ...blobs.image('amd64'), platform: amd64 };
  const root = blobs.add(ociIndex, index([blobs.add(ociIndex, index([])), blobs.image('arm64'), image]));
  await resolveManifest(root, amd64, blobs.read);
  t.same(blobs.reads, [root.digest, image.digest]);
});

t.test('no manifest fits', async (t) => {
  const blobs = new Blobs();
  const nested = blobs.add(ociIndex, index([entry('v', 'linux/arm/v6')]));
  const root = blobs.add(
    ociIndex,
    index([
      entry('a', 'unknown/unknown'),
      entry('b', 'windows/amd64'),
      entry('e', 'esc\x1b/x'),
      nested,
      blobs.image('riscv64'),
    ]),
  );
  await t.rejects(resolveManifest(root, amd64, blobs.read), {
    code: 'PLATFORM_NOT_FOUND',
    message: /for linux\/amd64; there are: windows\/amd64, esc\\x1b\/x, linux\/arm\/v6, linux\/riscv64$/,
    detail: { platforms: ['windows/amd64', 'esc\x1b/x', 'linux/arm/v6', 'linux/riscv64'] },
  });
  const empty = blobs.add(ociIndex, index([]));
  await t.rejects(resolveManifest(empty, amd64, blobs.read), {
    code: 'PLATFORM_NOT_FOUND',
    message: /none$/,
  });
});

t.test('a document is what its descriptor says, or refused', async (t) => {
  const blobs = new Blobs();
  const image = blobs.image('amd64');
  const cases: [name: string, root: Descriptor, code: string][] = [
    ['a manifest named as an index', { ...image, mediaType: ociIndex }, 'MANIFEST_INVALID'],
    ['a manifest named as a config', { ...image, mediaType: ociConfig }, 'MEDIA_TYPE_UNSUPPORTED'],
    ['a missing one', entry('missing'), 'BLOB_MISSING'],
  ];
  for (const [name, root, code] of cases) {
    await t.rejects(resolveManifest(root, amd64, blobs.read), { code }, name);
    await t.rejects(all(root, blobs), { code }, `${name}, all documents`);
  }
});

t.test('indexes that never end', async (t) => {
  const blobs = new Blobs();
  const deep = (levels: number): Descriptor => {
    let descriptor = { ...blobs.image('amd64'), platform: amd64 };
    for (let i = 0; i < levels; i++)
      descriptor = blobs.add(ociIndex, index([descriptor])) as typeof descriptor;
    return descriptor;
  };
  t.ok(await resolveManifest(deep(limits.indexDepth), amd64, blobs.read), 'as deep as allowed');
  const bomb = deep(limits.indexDepth + 2);
  await t.rejects(resolveManifest(bomb, amd64, blobs.read), { code: 'LIMIT_EXCEEDED' }, 'too deep');
  await t.rejects(all(bomb, blobs), { code: 'LIMIT_EXCEEDED' });
  const wide = Array.from({ length: 3 }, (_, i) =>
    blobs.add(
      ociIndex,
      index(
        Array.from({ length: 4000 }, (_, j) =>
          blobs.add(ociIndex, index([], { annotations: { at: `${i} ${j}` } })),
        ),
      ),
    ),
  );
  const broad = blobs.add(ociIndex, index(wide));
  await t.rejects(resolveManifest(broad, amd64, blobs.read), { code: 'LIMIT_EXCEEDED' }, 'too many');
});

t.test('all documents, each once, and after what it names', async (t) => {
  const blobs = new Blobs();
  const a = blobs.image('amd64');
  const b = blobs.image('arm64');
  const unknown = descriptorOf('a/b', Buffer.from('x'));
  const nested = blobs.add(ociIndex, index([b, a]));
  const root = blobs.add(ociIndex, index([a, unknown, nested, nested]));
  const documents = await all(root, blobs);
  t.same(
    documents.map(({ descriptor, document }) => [descriptor.digest, document?.kind ?? null]),
    [
      [a.digest, 'manifest'],
      [unknown.digest, null],
      [b.digest, 'manifest'],
      [nested.digest, 'index'],
      [root.digest, 'index'],
    ],
  );
  for (const { descriptor, data } of documents) {
    if (data !== null) t.equal(digestOf(data), descriptor.digest, 'bytes as they came');
  }
});
