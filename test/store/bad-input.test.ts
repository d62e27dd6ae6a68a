/** What goes wrong says so with a stable code, and leaves the store as it was. */
import { execFile } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { open, type Store } from '../../index.js';
import { bytes, type HostPath } from '../../lib/bytes.js';
import { digestOf } from '../../lib/digest.js';
import { MS_NODEV, mount, umount2 } from '../../lib/sys/index.js';
import { writeLayout } from '../support/oci.js';
import { needsRoot } from '../support/privilege.js';
import { makeScratchDirectory } from '../support/scratch.js';
import { directory, file, hardlink, whiteout } from '../support/tarball.js';
import { readTree, treeText } from '../support/tree.js';

const run = promisify(execFile);
const program = new URL('../../bin/layerfs.js', import.meta.url).pathname;

interface Fixture {
  readonly directory: HostPath;
  readonly image: HostPath;
  readonly store: Store;
  /** Everything in the store but locks, which come and go. */
  readonly state: () => string;
}

async function withStore(use: (fixture: Fixture) => Promise<void>): Promise<void> {
  const scratch = makeScratchDirectory();
  try {
    const image = writeLayout(join(scratch, 'image'), [
      {
        tag: 'good',
        layers: [
          [
            directory('etc'),
            file('etc/motd', 'hello\n'),
            hardlink('etc/motd', 'etc/link'),
            file('big', Buffer.alloc(300_000, 'x')),
          ],
          [file('etc/new', 'new\n'), whiteout('etc/motd')],
        ],
      },
    ]);
    await using store = await open({ root: join(scratch, 'store') });
    const parts = ['content', 'names', 'layers', 'chains', 'snapshots', 'uses', 'leases'];
    const state = (): string =>
      parts
        .map((name) => treeText(readTree(join(scratch, 'store', name))).replace(/^\S+ directory .*$/gm, ''))
        .join('\n');
    await use({ directory: scratch, image, store, state });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

type Json = Record<string, unknown>;

/** Rewrites a document of the layout, and what points at it, as one who makes a bad image would. */
function rewrite(image: HostPath, change: (manifest: Json, config: Json) => void): void {
  const blob = (digest: string): HostPath => join(image, 'blobs', 'sha256', digest.slice(7));
  const read = (path: HostPath): Json => JSON.parse(readFileSync(path, 'utf8')) as Json;
  const index = read(join(image, 'index.json')) as { manifests: { digest: string; size: number }[] };
  const root = index.manifests[0]!;
  const manifest = read(blob(root.digest)) as Json & { config: { digest: string; size: number } };
  const config = read(blob(manifest.config.digest));
  change(manifest, config);
  for (const [descriptor, document] of [
    [manifest.config, config],
    [root, manifest],
  ] as const) {
    const data = Buffer.from(JSON.stringify(document));
    descriptor.digest = digestOf(data);
    descriptor.size = data.length;
    writeFileSync(blob(descriptor.digest), data);
  }
  writeFileSync(join(image, 'index.json'), JSON.stringify(index));
}

/** The blob of the first layer. */
function layerBlob(image: HostPath): HostPath {
  let path = '';
  rewrite(image, (manifest) => {
    const [layer] = manifest['layers'] as { digest: string }[];
    path = join(image, 'blobs', 'sha256', layer!.digest.slice(7));
  });
  return path;
}

function flipByte(path: HostPath): void {
  const data = readFileSync(path);
  data[data.length >> 1]! ^= 0xff;
  writeFileSync(path, data);
}

const layersOf = (manifest: Json): { mediaType: string; digest: string; size: number }[] =>
  manifest['layers'] as { mediaType: string; digest: string; size: number }[];

interface Damage {
  readonly name: string;
  readonly code: string | RegExp;
  readonly source?: (image: HostPath) => string;
  readonly damage?: (image: HostPath) => void;
}

const damages: readonly Damage[] = [
  {
    name: 'a truncated blob',
    code: 'SIZE_MISMATCH',
    damage: (image) => truncateSync(layerBlob(image), 100),
  },
  {
    name: 'a truncated blob that its manifest believes in',
    code: /^(DIGEST_MISMATCH|COMPRESSION_INVALID)$/,
    damage: (image) => {
      truncateSync(layerBlob(image), 100);
      rewrite(image, (manifest) => (layersOf(manifest)[0]!.size = 100));
    },
  },
  {
    name: 'an altered blob',
    code: /^(DIGEST_MISMATCH|COMPRESSION_INVALID)$/,
    damage: (image) => flipByte(layerBlob(image)),
  },
  { name: 'a blob that is gone', code: 'BLOB_MISSING', damage: (image) => rmSync(layerBlob(image)) },
  {
    name: 'a wrong diffID',
    code: 'DIFFID_MISMATCH',
    damage: (image) =>
      rewrite(image, (_, config) => {
        const rootfs = config['rootfs'] as { diff_ids: string[] };
        rootfs.diff_ids[0] = digestOf('something else');
      }),
  },
  {
    name: 'fewer diffIDs than layers',
    code: 'MANIFEST_INVALID',
    damage: (image) =>
      rewrite(image, (_, config) => (config['rootfs'] as { diff_ids: string[] }).diff_ids.pop()),
  },
  {
    name: 'an unknown media type of a layer',
    code: 'MEDIA_TYPE_UNSUPPORTED',
    damage: (image) =>
      rewrite(image, (manifest) => (layersOf(manifest)[1]!.mediaType = 'application/vnd.example.layer')),
  },
  {
    name: 'an artifact',
    code: 'MEDIA_TYPE_UNSUPPORTED',
    damage: (image) =>
      rewrite(
        image,
        (manifest) => ((manifest['config'] as Json)['mediaType'] = 'application/vnd.example.config'),
      ),
  },
  {
    name: 'a digest that is a path',
    code: 'DIGEST_INVALID',
    damage: (image) =>
      rewrite(image, (manifest) => (layersOf(manifest)[0]!.digest = 'sha256:../../etc/passwd')),
  },
  { name: 'a missing tag', code: 'IMAGE_NOT_FOUND', source: (image) => `oci:${image}:other` },
  { name: 'a missing directory', code: 'SOURCE_NOT_FOUND', source: (image) => `oci:${image}-not-there:good` },
  { name: 'a transport that does not exist', code: 'REFERENCE_INVALID', source: (image) => `tape:${image}` },
];

for (const { name, code, damage, source } of damages) {
  t.test(`import of ${name}`, { skip: needsRoot }, () =>
    withStore(async ({ image, store, state }) => {
      const before = state();
      damage?.(image);
      const importing = store.import(source?.(image) ?? `oci:${image}:good`, 'test:1');
      await importing.then(
        () => t.fail('it was imported'),
        (error: unknown) => t.match((error as { code: string }).code, code, String(error)),
      );
      t.equal(withoutBlobs(state()), withoutBlobs(before), 'no name, layer, chain or lease is left');
      t.same(await store.images(), []);
      t.same(readdirSync(join(store.root, 'tmp')).length, 1, 'only the open store keeps a directory in tmp/');
    }),
  );
}

/** Layers and blobs that were complete stay for the next try: they are verified, and the collector knows them. */
function withoutBlobs(state: string): string {
  return state
    .split('\n')
    .filter((line) => !line.startsWith('/blobs/') && !/^\/[0-9a-f]{64}/.test(line) && line !== '')
    .join('\n');
}

t.test('mount points', { skip: needsRoot }, async (t) => {
  await withStore(async ({ directory: scratch, image, store, state }) => {
    await store.import(`oci:${image}:good`, 'test:1');
    const mountpoint = join(scratch, 'mnt');
    mkdirSync(mountpoint);
    writeFileSync(join(scratch, 'plain'), '');
    const before = state();
    await t.rejects(store.mount('test:1', join(scratch, 'nowhere')), { code: 'MOUNTPOINT_MISSING' });
    await t.rejects(store.mount('test:1', join(scratch, 'plain')), { code: 'MOUNTPOINT_MISSING' });
    await t.rejects(store.mount('test:1', join(store.root, 'tmp')), { code: 'MOUNTPOINT_BUSY' });
    await t.rejects(store.mount('other:1', mountpoint), { code: 'IMAGE_NOT_FOUND' });
    await t.rejects(store.mount('test:1', mountpoint, { driver: 'tape' }), { code: 'DRIVER_UNKNOWN' });
    await t.rejects(store.mount(null, mountpoint, { snapshot: 'none' }), { code: 'SNAPSHOT_NOT_FOUND' });
    await t.rejects(store.mount('test:1', mountpoint, { snapshot: '../x' }), { code: 'REFERENCE_INVALID' });
    await t.rejects(store.unmount(mountpoint), { code: 'MOUNT_NOT_FOUND' });
    mount(bytes('busy'), bytes(mountpoint), bytes('tmpfs'), MS_NODEV);
    try {
      await t.rejects(store.mount('test:1', mountpoint), { code: 'MOUNTPOINT_BUSY' });
    } finally {
      umount2(bytes(mountpoint));
    }
    t.same(await store.snapshots(), []);
    t.same(await store.mounts(), []);
    t.equal(withoutOverlay(state()), withoutOverlay(before));
  });
});

function withoutOverlay(state: string): string {
  return state.split('\n').filter(Boolean).join('\n');
}

t.test('a full disk', { skip: needsRoot }, async (t) => {
  await withStore(async ({ directory: scratch, image }) => {
    const small = join(scratch, 'small');
    mkdirSync(small);
    mount(bytes('small'), bytes(small), bytes('tmpfs'), MS_NODEV, bytes('size=256k'));
    try {
      await using store = await open({ root: join(small, 'store') });
      await t.rejects(store.import(`oci:${image}:good`, 'test:1'), { code: 'NO_SPACE' });
      t.same(await store.images(), []);
      t.same(readdirSync(join(store.root, 'names')), []);
      t.equal(readdirSync(join(store.root, 'tmp')).length, 1);
      mount(bytes('small'), bytes(small), null, MS_NODEV | 32, bytes('size=16m'));
      await store.import(`oci:${image}:good`, 'test:1');
      t.equal((await store.images()).length, 1, 'with room it works');
    } finally {
      umount2(bytes(small));
    }
  });
});

t.test('an ordinary user is told what is missing', { skip: needsRoot }, async (t) => {
  await withStore(async ({ directory: scratch, image }) => {
    chmodSync(scratch, 0o755);
    const root = join(scratch, 'theirs');
    mkdirSync(root, { mode: 0o777 });
    chmodSync(root, 0o777);
    const asNobody = (...args: string[]): Promise<{ stderr: string }> =>
      run('setpriv', [
        '--reuid=65534',
        '--regid=65534',
        '--clear-groups',
        process.execPath,
        program,
        '--root',
        join(root, 'store'),
        ...args,
      ]);
    await t.rejects(asNobody('import', `oci:${image}:good`, 'test:1'), {
      code: 1,
      stderr: /^layerfs: PERMISSION: .*root/m,
    });
    const { drivers } = JSON.parse(await runJson(asNobody('--json', 'info'))) as {
      drivers: { available: boolean; reason: string }[];
    };
    for (const { available, reason } of drivers) {
      t.equal(available, false);
      t.match(reason, /root/);
    }
  });
});

async function runJson(running: Promise<{ stderr: string; stdout?: string }>): Promise<string> {
  return (await running).stdout ?? '';
}

t.test('a store of the future is left alone', async (t) => {
  const root = makeScratchDirectory();
  try {
    writeFileSync(join(root, 'version'), '999\n');
    await t.rejects(open({ root }), { code: 'STORE_VERSION' });
    t.same(readdirSync(root), ['version']);
    writeFileSync(join(root, 'version'), 'nonsense');
    await t.rejects(open({ root }), { code: 'STORE_INVALID' });
    rmSync(join(root, 'version'));
    writeFileSync(join(root, 'my-thesis.txt'), '');
    await t.rejects(open({ root }), { code: 'STORE_INVALID' });
    t.same(readdirSync(root), ['my-thesis.txt']);
  } finally {
    rmSync(root, { recursive: true });
  }
});
