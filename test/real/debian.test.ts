/**
 * The main job on real input: an image made by debootstrap and buildah, mounted by each driver, compared with what
 * umoci unpacks and with what other tools read of our store and of our exports.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { open, type Store } from '../../index.js';
import { needsRoot } from '../support/privilege.js';
import { lacking } from '../support/tools.js';
import { readTree, treeText } from '../support/tree.js';

const run = promisify(execFile);
const script = new URL('../../../test/real/make-image.sh', import.meta.url).pathname;

const skip = needsRoot || (await lacking('debootstrap', 'buildah', 'umoci', 'skopeo', 'tar', 'chroot'));

const textOf = (directory: string): string => treeText(readTree(directory));

async function mounted<T>(
  store: Store,
  directory: string,
  driver: string,
  use: () => Promise<T>,
): Promise<T> {
  mkdirSync(directory, { recursive: true });
  await store.mount('debian:test', directory, { driver });
  try {
    return await use();
  } finally {
    await store.unmount(directory);
  }
}

async function verifyPackages(root: string): Promise<string> {
  // Its status says whether it found a difference, and it finds those that the image's builder made.
  const { stdout } = await run('chroot', [root, 'sh', '-c', 'dpkg --verify; echo "status $?"']);
  return stdout;
}

t.test('a Debian image', { skip, timeout: 900_000 }, async (t) => {
  const directory = mkdtempSync('/var/tmp/layerfs-real-');
  const path = (...names: string[]): string => join(directory, ...names);
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const prepared = process.env['LAYERFS_TEST_IMAGE'];
  const image = prepared ?? `${path('image')}:latest`;
  if (prepared === undefined) await run('sh', [script, path('image'), directory]);
  await run('umoci', ['unpack', '--image', image, path('umoci')]);
  const expected = textOf(path('umoci', 'rootfs'));
  const expectedVerify = await verifyPackages(path('umoci', 'rootfs'));

  await using store = await open({ root: path('store') });
  await store.import(`oci:${image}`, 'debian:test');

  for (const driver of ['overlay', 'vfs']) {
    await t.test(`${driver} shows what umoci unpacks, and programs run in it`, async (t) => {
      await mounted(store, path('mnt'), driver, async () => {
        t.equal(textOf(path('mnt')), expected);
        t.equal(await verifyPackages(path('mnt')), expectedVerify);
        const { stdout } = await run('chroot', [
          path('mnt'),
          'sh',
          '-c',
          'echo written >/etc/new && cat /etc/new',
        ]);
        t.equal(stdout, 'written\n');
      });
      await store.removeSnapshots((await store.snapshots()).map(({ id }) => id));
    });
  }

  await t.test('skopeo reads the store as it stands', async (t) => {
    const source = `oci:${path('store', 'content')}:docker.io/library/debian:test`;
    const { stdout } = await run('skopeo', ['inspect', source]);
    const { Digest } = JSON.parse(stdout) as { Digest: string };
    t.equal(Digest, (await store.images())[0]?.digest);
  });

  for (const kind of ['oci', 'oci-archive', 'docker-archive']) {
    await t.test(`umoci unpacks the same tree from our export as ${kind}, by way of skopeo`, async (t) => {
      await store.export('debian:test', `${kind}:${path(`export-${kind}`)}:debian:test`);
      await run('skopeo', [
        '--insecure-policy',
        'copy',
        `${kind}:${path(`export-${kind}`)}:debian:test`,
        `oci:${path(`copy-${kind}`)}:test`,
      ]);
      await run('umoci', ['unpack', '--image', `${path(`copy-${kind}`)}:test`, path(`unpacked-${kind}`)]);
      t.equal(textOf(path(`unpacked-${kind}`, 'rootfs')), expected);
    });
  }

  await t.test('containers-storage takes our export, and shows the same tree', async (t) => {
    const storage = ['--root', path('graph'), '--runroot', path('run'), '--storage-driver', 'vfs'];
    await run('skopeo', [
      '--insecure-policy',
      'copy',
      `oci:${path('export-oci')}:debian:test`,
      `containers-storage:[vfs@${path('graph')}+${path('run')}]localhost/debian:test`,
    ]);
    const { stdout: container } = await run('buildah', [
      ...storage,
      'from',
      '--pull-never',
      'localhost/debian:test',
    ]);
    const { stdout: root } = await run('buildah', [...storage, 'mount', container.trim()]);
    t.equal(withoutTimesOfRoot(textOf(root.trim())), withoutTimesOfRoot(expected));
    await run('buildah', [...storage, 'rm', '--all']);
    await run('buildah', [...storage, 'rmi', '--all', '--force']);
  });

  await t.test('the flattened tree, as a directory and as a tar', async (t) => {
    await store.export('debian:test', `rootfs:${path('flat')}`);
    t.equal(textOf(path('flat')), expected);
    await store.export('debian:test', `rootfs:${path('flat.tar')}`);
    mkdirSync(path('untar'));
    await run('tar', [
      '-xpf',
      path('flat.tar'),
      '-C',
      path('untar'),
      '--xattrs',
      '--xattrs-include=*',
      '--numeric-owner',
    ]);
    t.equal(textOf(path('untar')), expected);
  });

  await t.test('the store is as small as before when the image is gone', async (t) => {
    const { removed } = await store.removeImages(['debian:test']);
    t.same(removed, ['docker.io/library/debian:test']);
    t.same(await store.usage(), { content: 0, layers: [], snapshots: [], total: 0 });
  });
});

/** containers/storage makes its root directory when it unpacks, with the time of that moment. */
function withoutTimesOfRoot(text: string): string {
  return text.replace(/^.*\n/, '');
}
