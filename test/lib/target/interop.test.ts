/** What layerfs writes, as skopeo, umoci, buildah and podman read it. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { parseReference } from '../../../lib/image/reference.js';
import { writeDockerArchive } from '../../../lib/target/docker-archive.js';
import { writeOciArchive } from '../../../lib/target/oci-archive.js';
import { writeOci } from '../../../lib/target/oci.js';
import { needsRoot } from '../../support/privilege.js';
import { sampleImage, type SampleImage } from '../../support/sample-image.js';
import { Storage, shortDirectory } from '../../support/tool-images.js';
import { lacking, tool } from '../../support/tools.js';

/** The image in every form, by transport. */
async function written(directory: string, image: SampleImage): Promise<string[]> {
  const at = (name: string): string => join(directory, name);
  await writeOci(image.oci, at('layout'), 'v1', { durable: false });
  await writeOciArchive(image.oci, at('oci.tar'), 'v1', { durable: false });
  await writeDockerArchive(image.docker, at('docker.tar'), [parseReference('sample:v1')], { durable: false });
  return [
    `oci:${at('layout')}:v1`,
    `oci-archive:${at('oci.tar')}:v1`,
    `docker-archive:${at('docker.tar')}:sample:v1`,
  ];
}

t.test('skopeo reads and copies it', { skip: needsRoot || (await lacking('skopeo')) }, async (t) => {
  const image = await sampleImage();
  const directory = t.testdir();
  for (const form of await written(directory, image)) {
    const name = form.slice(0, form.indexOf(':'));
    const config = await tool('skopeo', 'inspect', '--config', '--raw', form);
    t.equal(config, image.blobs.get(image.config.digest)!.toString(), `${name}: the config, byte for byte`);
    await tool('skopeo', '--insecure-policy', 'copy', form, `dir:${join(directory, `copy-${name}`)}`);
    const copied = await readdir(join(directory, `copy-${name}`));
    t.ok(copied.includes(image.config.digest.slice('sha256:'.length)), `${name}: copied`);
  }
  await tool(
    'skopeo',
    '--insecure-policy',
    'copy',
    `oci:${directory}/layout:v1`,
    `oci:${directory}/layout:v2`,
  );
  const second = await sampleImage([{ other: 'x' }]);
  await writeOci(second.oci, join(directory, 'layout'), 'v3', { durable: false });
  const index = JSON.parse(await readFile(join(directory, 'layout/index.json'), 'utf8')) as {
    manifests: unknown[];
  };
  t.equal(index.manifests.length, 3, 'skopeo and layerfs write to one layout in turn');
});

t.test('umoci unpacks it', { skip: needsRoot || (await lacking('umoci')) }, async (t) => {
  const directory = t.testdir();
  await written(directory, await sampleImage());
  const bundle = join(directory, 'bundle');
  await tool('umoci', 'unpack', '--image', `${directory}/layout:v1`, bundle);
  t.equal(await readFile(join(bundle, 'rootfs/etc/motd'), 'utf8'), 'hello');
  await tool('umoci', 'gc', '--layout', join(directory, 'layout'));
  t.equal((await readdir(join(directory, 'layout/blobs/sha256'))).length, 4, 'and finds nothing to collect');
});

t.test('podman loads it', { skip: needsRoot || (await lacking('podman')) }, async (t) => {
  const image = await sampleImage();
  const directory = await shortDirectory(t);
  await written(directory, image);
  const storage = await Storage.create(directory);
  await storage.podman('load', '--input', join(directory, 'docker.tar'));
  const id = await storage.podman('image', 'inspect', '--format', '{{.Id}}', 'docker.io/library/sample:v1');
  t.equal(`sha256:${id.trim()}`, image.config.digest, 'the image keeps its id');
  t.match(await storage.podman('load', '--input', join(directory, 'oci.tar')), /Loaded image/);
});

t.test('buildah starts from it', { skip: needsRoot || (await lacking('buildah')) }, async (t) => {
  const directory = await shortDirectory(t);
  const forms = await written(directory, await sampleImage());
  const storage = await Storage.create(directory);
  for (const form of forms) {
    const container = (await storage.buildah('from', form)).trim();
    const root = (await storage.buildah('mount', container)).trim();
    t.equal(await readFile(join(root, 'etc/motd'), 'utf8'), 'hello', form.replace(directory, ''));
    await storage.buildah('umount', container);
    await storage.buildah('rm', container);
  }
});
