/** Images as skopeo, umoci, buildah and podman write them. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { decompressed } from '../../../lib/archive/decompressed.js';
import { digestOf } from '../../../lib/digest.js';
import { parseConfig } from '../../../lib/image/config.js';
import { parseManifest } from '../../../lib/image/manifest.js';
import { limits } from '../../../lib/limits.js';
import { readLocation } from '../../../lib/content/location.js';
import { openSource } from '../../../lib/source/open.js';
import { needsRoot } from '../../support/privilege.js';
import { readLayer } from '../../support/read-layer.js';
import { Storage, shortDirectory } from '../../support/tool-images.js';
import { lacking, tool } from '../../support/tools.js';

interface Found {
  readonly names: readonly (string | undefined)[];
  readonly configDigest: string;
  /** Contents of regular files, of all layers. */
  readonly files: Readonly<Record<string, string>>;
}

/** Reads an image to the last byte, and checks everything that it promises. */
async function read(t: Test, text: string): Promise<Found> {
  const temporary = t.testdirName;
  await mkdir(temporary, { recursive: true });
  await using source = await openSource(text, { temporary });
  const roots = await source.roots();
  const manifest = parseManifest(await source.readBlob(roots[0]!.descriptor, limits.manifestSize));
  const config = parseConfig(await source.readBlob(manifest.config, limits.configSize));
  const files: Record<string, string> = {};
  for (const [i, layer] of manifest.layers.entries()) {
    const blob = await source.readBlob(layer, limits.configSize);
    t.equal(digestOf(blob), layer.digest);
    const tar = await buffer(decompressed(readLocation(await source.locateBlob(layer))));
    t.equal(digestOf(tar), config.diffIds[i], 'the diffID');
    for (const [path, data] of readLayer(tar).files) files[path] = data.toString();
  }
  return { names: roots.map(({ name }) => name), configDigest: manifest.config.digest, files };
}

const expected = { 'etc/motd': 'hello', 'bin/sh': '#!' };

t.test('podman save', { skip: needsRoot || (await lacking('buildah', 'podman')) }, async (t) => {
  const directory = await shortDirectory(t);
  const storage = await Storage.create(directory);
  await storage.build(directory, 'localhost/sample:1');
  const id = await storage.podman('image', 'inspect', '--format', '{{.Id}}', 'localhost/sample:1');
  await storage.podman('tag', 'localhost/sample:1', 'example.org/other:2');
  const formats: Record<string, readonly string[]> = {
    'docker-archive': ['localhost/sample:1', 'example.org/other:2'],
    'oci-archive': ['localhost/sample:1'],
    'oci-dir': ['localhost/sample:1'],
  };
  for (const [format, names] of Object.entries(formats)) {
    await t.test(format, async (t) => {
      const path = join(directory, format);
      await storage.podman('save', '--format', format, '--output', path, ...names);
      const found = await read(t, `${format.replace('-dir', '')}:${path}`);
      t.strictSame(found.files, expected);
      t.equal(found.configDigest, `sha256:${id.trim()}`, 'the id that podman shows');
      t.strictSame([...found.names].sort(), [...names].sort());
    });
  }
});

t.test('buildah push', { skip: needsRoot || (await lacking('buildah')) }, async (t) => {
  const directory = await shortDirectory(t);
  const storage = await Storage.create(directory);
  await storage.build(directory, 'localhost/sample:1');
  for (const target of ['oci:LAYOUT:v1', 'oci-archive:ARCHIVE:v1', 'docker-archive:DOCKER:sample:v1']) {
    const text = target.replace(/[A-Z]+/, (name) => join(directory, name));
    await storage.buildah('push', 'localhost/sample:1', text);
    const { files, names } = await read(t, text);
    t.strictSame(files, expected, target);
    t.strictSame(names, [target.startsWith('docker') ? 'docker.io/library/sample:v1' : 'v1']);
  }
});

/** The expected image, of one layer, as v1 of a new layout. */
async function makeWithUmoci(layout: string, bundle: string): Promise<void> {
  await tool('umoci', 'init', '--layout', layout);
  await tool('umoci', 'new', '--image', `${layout}:v1`);
  await tool('umoci', 'unpack', '--image', `${layout}:v1`, bundle);
  for (const [path, text] of Object.entries(expected)) {
    await mkdir(dirname(join(bundle, 'rootfs', path)), { recursive: true });
    await writeFile(join(bundle, 'rootfs', path), text);
  }
  await tool('umoci', 'repack', '--image', `${layout}:v1`, bundle);
}

t.test(
  'skopeo copy, from one form to the next',
  { skip: needsRoot || (await lacking('skopeo', 'umoci')) },
  async (t) => {
    const directory = t.testdir();
    const at = (name: string): string => join(directory, name);
    await makeWithUmoci(at('umoci'), at('bundle'));
    const forms = [
      `oci:${at('umoci')}:v1`,
      `docker-archive:${at('docker.tar')}:sample:v1`,
      `oci-archive:${at('oci.tar')}:v1`,
      `oci:${at('skopeo')}:docker.io/library/sample:v1`,
    ];
    let before: string | undefined;
    for (const form of forms) {
      if (before !== undefined) await tool('skopeo', '--insecure-policy', 'copy', before, form);
      t.strictSame((await read(t, form)).files, expected, form.replace(directory, ''));
      before = form;
    }
    for (const compression of ['gzip', 'zstd']) {
      if ((await lacking(compression)) !== false) continue;
      await tool(compression, '-k', '-f', at('docker.tar'));
    }
    for (const name of (await readdir(directory)).filter((name) => /^docker\.tar\./.test(name))) {
      t.strictSame((await read(t, `docker-archive:${at(name)}`)).files, expected, name);
    }
  },
);

t.test('an image that umoci has changed', { skip: needsRoot || (await lacking('umoci')) }, async (t) => {
  const directory = t.testdir();
  const layout = join(directory, 'layout');
  await makeWithUmoci(layout, join(directory, 'first'));
  await tool('umoci', 'unpack', '--image', `${layout}:v1`, join(directory, 'second'));
  await writeFile(join(directory, 'second/rootfs/new'), 'new');
  await tool('umoci', 'repack', '--image', `${layout}:v2`, join(directory, 'second'));
  t.strictSame((await read(t, `oci:${layout}:v2`)).files, { ...expected, new: 'new' });
  t.strictSame((await read(t, `oci:${layout}:v1`)).files, expected);
  await using both = await openSource(`oci:${layout}`, { temporary: directory });
  t.strictSame((await both.roots()).map(({ name }) => name).sort(), ['v1', 'v2']);
});
