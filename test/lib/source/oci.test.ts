import { execFileSync } from 'node:child_process';
import { mkdir, readdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import type { Digest } from '../../../lib/digest.js';
import { mediaTypes } from '../../../lib/image/media-type.js';
import { limits } from '../../../lib/limits.js';
import { readLocation } from '../../../lib/content/location.js';
import { openSource } from '../../../lib/source/open.js';
import type { ImageSource } from '../../../lib/source/source.js';
import { blobName } from '../../../lib/target/oci-layout.js';
import { sampleImage, type SampleImage } from '../../support/sample-image.js';
import { writeOuterArchive, type OuterMember } from '../../support/outer-archive.js';

interface Named {
  readonly image: SampleImage;
  readonly annotations?: Record<string, string>;
}

const refName = (name: string): Record<string, string> => ({ 'org.opencontainers.image.ref.name': name });

/** The files of a layout, by name. */
function layoutFiles(images: readonly Named[]): Map<string, Buffer> {
  const manifests = images.map(({ image, annotations }) => ({ ...image.manifest, annotations }));
  const files = new Map<string, Buffer>([
    ['oci-layout', Buffer.from('{"imageLayoutVersion": "1.0.0"}')],
    ['index.json', Buffer.from(JSON.stringify({ schemaVersion: 2, manifests }))],
  ]);
  for (const { image } of images) {
    for (const [digest, data] of image.blobs) files.set(blobName(digest), data);
  }
  return files;
}

/** The same layout behind each transport that reads one. */
const forms: Record<
  string,
  (t: Test, files: Map<string, Buffer>) => Promise<{ text: string; stdin?: Readable }>
> = {
  oci: async (t, files) => {
    const directory = join(t.testdir(), 'layout');
    for (const algorithm of ['sha256', 'sha512'])
      await mkdir(join(directory, 'blobs', algorithm), { recursive: true });
    for (const [name, data] of files) await writeFile(join(directory, name), data);
    return { text: `oci:${directory}` };
  },
  'oci-archive': async (t, files) => {
    const members = [...files].map(([name, data]): OuterMember => [{ name: `./${name}` }, data]);
    return { text: `oci-archive:${await writeOuterArchive(join(t.testdir(), 'a.tar'), members)}` };
  },
};

const temporaryOf = async (t: Test): Promise<string> => {
  const temporary = `${t.testdirName}-temporary`;
  await mkdir(temporary, { recursive: true });
  t.teardown(() => rm(temporary, { recursive: true, force: true }));
  return temporary;
};

async function open(t: Test, text: string, stdin?: Readable): Promise<ImageSource> {
  const temporary = await temporaryOf(t);
  return openSource(text, stdin === undefined ? { temporary } : { temporary, stdin });
}

for (const [form, write] of Object.entries(forms)) {
  t.test(`${form}: every blob comes out as it went in`, async (t) => {
    const image = await sampleImage();
    const { text } = await write(t, layoutFiles([{ image, annotations: refName('latest') }]));
    await using source = await open(t, `${text}:latest`);
    const roots = await source.roots();
    t.equal(roots.length, 1);
    t.match(roots[0], { name: 'latest', descriptor: { digest: image.manifest.digest } });
    for (const descriptor of image.oci.blobs) {
      const expected = image.blobs.get(descriptor.digest);
      t.strictSame(await source.readBlob(descriptor, limits.configSize), expected);
      const location = await source.locateBlob(descriptor);
      t.strictSame(await buffer(readLocation(location)), expected, 'at its location too');
    }
  });

  t.test(`${form}: the tag or position chooses, no tag means all`, async (t) => {
    const [a, b, c] = [
      await sampleImage([{ a: 'a' }]),
      await sampleImage([{ b: 'b' }]),
      await sampleImage([{ c: 'c' }]),
    ];
    const { text } = await write(
      t,
      layoutFiles([
        { image: a, annotations: refName('docker.io/library/debian:12') },
        { image: b },
        {
          image: c,
          annotations: { ...refName('3'), 'io.containerd.image.name': 'docker.io/library/alpine:3' },
        },
        { image: a, annotations: refName('again') },
      ]),
    );
    const cases: [choice: string, expected: (readonly [SampleImage, string | undefined])[]][] = [
      [':docker.io/library/debian:12', [[a, 'docker.io/library/debian:12']]],
      [':again', [[a, 'again']]],
      [':@1', [[b, undefined]]],
      [':3', [[c, 'docker.io/library/alpine:3']]],
      [':docker.io/library/alpine:3', [[c, 'docker.io/library/alpine:3']]],
      [
        '',
        [
          [a, 'docker.io/library/debian:12'],
          [b, undefined],
          [c, 'docker.io/library/alpine:3'],
          [a, 'again'],
        ],
      ],
    ];
    for (const [choice, expected] of cases) {
      await using source = await open(t, text + choice);
      const found = (await source.roots()).map((root) => [root.descriptor.digest, root.name]);
      t.strictSame(
        found,
        expected.map(([image, name]) => [image.manifest.digest, name]),
        choice || 'no tag',
      );
    }
    for (const choice of [':13', ':@4', ':debian:12']) {
      await t.rejects(
        open(t, text + choice),
        {
          code: 'IMAGE_NOT_FOUND',
          message: /docker\.io\/library\/debian:12, @1, docker\.io\/library\/alpine:3, again/,
        },
        choice,
      );
    }
  });

  t.test(`${form}: a layout that is none, or another, is refused`, async (t) => {
    const image = await sampleImage([{ a: 'a' }]);
    const cases: Record<string, [changes: Record<string, string | null>, code: string]> = {
      'no oci-layout': [{ 'oci-layout': null }, 'MANIFEST_INVALID'],
      'no index.json': [{ 'index.json': null }, 'MANIFEST_INVALID'],
      'version 2': [{ 'oci-layout': '{"imageLayoutVersion":"2.0.0"}' }, 'MANIFEST_INVALID'],
      'an index that is no JSON': [{ 'index.json': '{' }, 'MANIFEST_INVALID'],
      'an index that is a manifest too': [
        { 'index.json': '{"schemaVersion":2,"manifests":[],"layers":[]}' },
        'MANIFEST_INVALID',
      ],
      'no images': [{ 'index.json': '{"schemaVersion":2,"manifests":[]}' }, 'IMAGE_NOT_FOUND'],
      'a digest that is a path (CVE-2024-3727)': [
        {
          'index.json': JSON.stringify({
            schemaVersion: 2,
            manifests: [{ mediaType: mediaTypes.ociManifest, digest: 'sha256:../../../etc/passwd', size: 1 }],
          }),
        },
        'DIGEST_INVALID',
      ],
      'an index over the limit (CVE-2023-25153)': [
        { 'index.json': `{"schemaVersion":2,"manifests":[],"x":"${'x'.repeat(limits.manifestSize)}"}` },
        'LIMIT_EXCEEDED',
      ],
    };
    for (const [name, [changes, code]] of Object.entries(cases)) {
      const files = layoutFiles([{ image }]);
      for (const [file, text] of Object.entries(changes)) {
        if (text === null) files.delete(file);
        else files.set(file, Buffer.from(text));
      }
      await t.test(name, async (t) => {
        const { text } = await write(t, files);
        await t.rejects(open(t, text), { code });
      });
    }
  });

  t.test(`${form}: a blob that is not what its descriptor says is refused`, async (t) => {
    const image = await sampleImage([{ a: 'a' }]);
    const [layer] = image.layers;
    const files = layoutFiles([{ image }]);
    files.set(blobName(image.config.digest), Buffer.alloc(image.config.size, 'x'));
    files.delete(blobName(layer!.blob.digest));
    files.set(
      blobName(image.manifest.digest),
      Buffer.concat([image.blobs.get(image.manifest.digest)!, Buffer.from(' ')]),
    );
    const { text } = await write(t, files);
    await using source = await open(t, text);
    await t.rejects(source.readBlob(image.config, limits.configSize), { code: 'DIGEST_MISMATCH' }, 'altered');
    await t.rejects(source.locateBlob(layer!.blob), { code: 'BLOB_MISSING' }, 'missing');
    await t.rejects(
      source.readBlob(image.manifest, limits.manifestSize),
      { code: 'SIZE_MISMATCH' },
      'longer',
    );
    await t.rejects(
      source.readBlob(image.config, 10),
      { code: 'LIMIT_EXCEEDED' },
      'over the limit asked for',
    );
  });

  t.test(`${form}: a closed source is closed`, async (t) => {
    const image = await sampleImage([{ a: 'a' }]);
    const { text } = await write(t, layoutFiles([{ image }]));
    const source = await open(t, text);
    await source[Symbol.asyncDispose]();
    await source[Symbol.asyncDispose]();
    await t.rejects(source.roots(), { code: 'CLOSED' });
    await t.rejects(source.locateBlob(image.config), { code: 'CLOSED' });
    await t.rejects(source.readBlob(image.config, 1000), { code: 'CLOSED' });
  });
}

t.test('oci: a blob may be a symlink, as Bazel writes them, but nothing else than a file', async (t) => {
  const image = await sampleImage([{ a: 'a' }]);
  const { text } = await forms['oci']!(t, layoutFiles([{ image }]));
  const directory = text.slice('oci:'.length);
  const path = (digest: Digest): string => join(directory, blobName(digest));
  const moved = join(directory, 'elsewhere');
  await rename(path(image.config.digest), moved);
  await symlink(moved, path(image.config.digest));
  await rm(path(image.manifest.digest));
  execFileSync('mkfifo', [path(image.manifest.digest)]);
  await using source = await open(t, text);
  t.strictSame(await source.readBlob(image.config, limits.configSize), image.blobs.get(image.config.digest));
  await t.rejects(source.locateBlob(image.manifest), { code: 'BLOB_MISSING' }, 'a FIFO is not waited for');
});

t.test(
  'oci-archive: what is compressed or comes from a stream is unwrapped, and the copy goes with the source',
  async (t) => {
    const image = await sampleImage();
    const { text } = await forms['oci-archive']!(t, layoutFiles([{ image }]));
    const plain = await buffer(
      readLocation({ file: text.slice('oci-archive:'.length), offset: 0, size: 16_384 }),
    );
    const temporary = await temporaryOf(t);
    const compressed = join(t.testdirName, 'a.tar.gz');
    await writeFile(compressed, gzipSync(plain));
    const cases: [name: string, text: string, stdin?: Buffer][] = [
      ['a gzip file', `oci-archive:${compressed}`],
      ['standard input', 'oci-archive:-', plain],
      ['gzip on standard input', 'oci-archive:-', gzipSync(plain)],
    ];
    for (const [name, text, data] of cases) {
      const stdin = Readable.from(data === undefined ? [] : chunksOf(data, 1000));
      const source = await openSource(text, { temporary, stdin });
      t.strictSame(
        await source.readBlob(image.config, limits.configSize),
        image.blobs.get(image.config.digest),
        name,
      );
      t.equal((await readdir(temporary)).length, 1, 'there is a copy');
      await source[Symbol.asyncDispose]();
      t.strictSame(await readdir(temporary), [], 'and it goes away');
    }
  },
);

t.test('oci-archive: a failure leaves no copy behind', async (t) => {
  const temporary = await temporaryOf(t);
  const image = await sampleImage();
  const { text } = await forms['oci-archive']!(t, layoutFiles([{ image }]));
  const file = text.slice('oci-archive:'.length);
  const plain = await buffer(readLocation({ file, offset: 0, size: 8192 }));
  const cases: Record<string, [data: Buffer, code: string]> = {
    'cut short': [plain.subarray(0, 2000), 'ARCHIVE_INVALID'],
    'compressed twice': [gzipSync(gzipSync(plain)), 'ARCHIVE_INVALID'],
    'a cut gzip stream': [gzipSync(plain).subarray(0, 300), 'COMPRESSION_INVALID'],
    xz: [Buffer.from('fd377a585a000004e6d6b446', 'hex'), 'COMPRESSION_UNSUPPORTED'],
    'an empty stream': [Buffer.alloc(0), 'MANIFEST_INVALID'],
  };
  for (const [name, [data, code]] of Object.entries(cases)) {
    await t.rejects(openSource('oci-archive:-', { temporary, stdin: Readable.from([data]) }), { code }, name);
    t.strictSame(await readdir(temporary), [], name);
  }
  const failing = new Readable({ read: () => failing.destroy(new Error('boom')) });
  await t.rejects(openSource('oci-archive:-', { temporary, stdin: failing }), { message: 'boom' });
  const signal = AbortSignal.abort();
  await t.rejects(openSource('oci-archive:-', { temporary, stdin: Readable.from([plain]), signal }), {
    code: 'ABORTED',
  });
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 20);
  const silent = new Readable({ read: () => undefined });
  await t.rejects(
    openSource('oci-archive:-', { temporary, stdin: silent, signal: controller.signal }),
    { code: 'ABORTED' },
    'a stream that never says anything does not hold it up',
  );
  await truncate(file, 100);
  await t.rejects(openSource(text, { temporary }), { code: 'ARCHIVE_INVALID' });
  t.strictSame(await readdir(temporary), []);
});

t.test('a path that is not there, or is something else', async (t) => {
  const directory = t.testdir({ file: 'x' });
  const temporary = await temporaryOf(t);
  for (const kind of ['oci', 'oci-archive', 'docker-archive', 'rootfs']) {
    await t.rejects(
      openSource(`${kind}:${directory}/missing`, { temporary }),
      { code: 'SOURCE_NOT_FOUND' },
      kind,
    );
    await t.rejects(
      openSource(`${kind}:${directory}/file/x`, { temporary }),
      { code: 'SOURCE_NOT_FOUND' },
      kind,
    );
  }
  await t.rejects(openSource(`oci:${directory}/file`, { temporary }), {
    code: 'SOURCE_NOT_FOUND',
    message: /oci-archive:/,
  });
  await t.rejects(openSource(`oci-archive:${directory}`, { temporary }), { code: 'ARCHIVE_INVALID' });
  await t.rejects(openSource('tar:x', { temporary }), { code: 'REFERENCE_INVALID' });
});

function chunksOf(data: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(data.length / size) }, (_, i) =>
    data.subarray(i * size, (i + 1) * size),
  );
}
