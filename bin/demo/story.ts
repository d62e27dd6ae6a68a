/** What the demonstration does, told as the commands that do the same. */
import { appendFile, chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { display, LayerfsError, type Store } from '../../index.js';
import { writeSampleImage } from '../../lib/demo/sample-image.js';
import { ago, byteCount, printable, shortDigest, table } from '../output.js';
import { changesAt, type Change } from './changes.js';

const image = 'sample:1';
const snapshot = 'my-changes';
const asRoot = 'unshare --map-root-user --mount layerfs demo';
const greeting = 'Hello from the snapshot.\n';

/** What the story comes to, for --json. */
export interface Outcome {
  readonly image: string;
  /** Null where nothing could be mounted; `reason` says why. */
  readonly driver: string | null;
  readonly reason: string | null;
  readonly changes: readonly Change[];
  /** Whether the changes were there again after unmounting and mounting. */
  readonly persisted: boolean;
}

export interface Telling {
  readonly signal: AbortSignal;
  readonly say: (text: string) => Promise<void>;
}

/**
 * Imports a sample image into the store, mounts a snapshot of it below `directory`, writes, compares, and mounts it
 * again. The caller disposes of everything.
 */
export async function tellStory(store: Store, directory: string, telling: Telling): Promise<Outcome> {
  const { say, signal } = telling;
  const command = (words: string): Promise<void> => say(`\n$ ${words}\n`);
  await importSample(store, directory, telling);

  const mountpoint = join(directory, 'mnt');
  await mkdir(mountpoint);
  await command(`layerfs mount --snapshot ${snapshot} ${image} ${mountpoint}`);
  const mounted = await unlessRefused(() => store.mount(image, mountpoint, { snapshot, signal }));
  if (typeof mounted === 'string') {
    await say(`This needs more than there is here: ${printable(mounted)}\n`);
    await look(store, telling);
    return { image, driver: null, reason: mounted, changes: [], persisted: false };
  }
  await say(`${snapshot}    (driver ${mounted.driver})\n`);

  await command(`cd ${mountpoint}`);
  await write(mountpoint, telling);
  const changes = await changesAt(mountpoint, store.ls(image, '/', { recursive: true }));
  await say('\nWhat is different from the image (A added, C changed, D deleted):\n');
  await say(changes.map(({ kind, path }) => `${kind} ${path}\n`).join(''));

  await command(`layerfs umount ${snapshot}`);
  await store.unmount(snapshot);
  await say(
    `${mountpoint} is empty again; the image never changed. Mounted once more, what was written is there:\n`,
  );
  await command(`layerfs mount --snapshot ${snapshot} ${mountpoint}`);
  await store.mount(null, mountpoint, { snapshot, signal });
  await say(`${snapshot}\n`);
  await command(`cat ${mountpoint}/srv/hello`);
  const text = await readFile(join(mountpoint, 'srv/hello'), 'utf8');
  await say(text);

  await command(`layerfs rm -f ${snapshot}`);
  await store.removeSnapshots([snapshot], { force: true });
  await say('\nThat was all of it. The demo used a store of its own, which is removed now.\n');
  return { image, driver: mounted.driver, reason: null, changes, persisted: text === greeting };
}

async function importSample(store: Store, directory: string, { say, signal }: Telling): Promise<void> {
  const layout = join(directory, 'image');
  await writeSampleImage(layout, '1', 'whole');
  await say(`A sample image is in ${layout}: three layers, a few hundred files, made without a network.\n`);
  await say(`\n$ layerfs import oci:${layout}:1 ${image}\n`);
  const importing = (): Promise<object> => store.import(`oci:${layout}:1`, image, { signal });
  if (process.geteuid?.() !== 0) {
    await say(`This needs root. In a user namespace of your own you are: ${asRoot}\n`);
    await importing();
    return;
  }
  const imported = await unlessRefused(importing);
  if (typeof imported === 'string') {
    await say(`${printable(imported)}\nOnce more, with a sample in which no layer takes anything away:\n`);
    await writeSampleImage(`${layout}-2`, '1', 'without-whiteouts');
    await store.import(`oci:${layout}-2:1`, image, { signal });
  }
  await say('\n$ layerfs images\n');
  const images = table(await store.images(), [
    { heading: 'NAME', value: ({ name }) => name },
    { heading: 'DIGEST', value: ({ digest }) => shortDigest(digest) },
    { heading: 'CREATED', value: ({ created }) => ago(created) },
    { heading: 'LAYERS', value: ({ layers }) => String(layers), align: 'right' },
    { heading: 'SIZE', value: ({ size }) => byteCount(size), align: 'right' },
  ]);
  await say(images);
}

/** What a machine may be unable to do for a user; other errors are failures. */
const refusals: readonly string[] = ['DRIVER_UNAVAILABLE', 'MOUNT_FAILED', 'PERMISSION'];

/** The result, or why there is none. */
async function unlessRefused<T extends object>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LayerfsError) || !refusals.includes(error.code)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

/** Writes a file, changes one of the image and deletes another. */
async function write(mountpoint: string, { say }: Telling): Promise<void> {
  const at = (path: string): string => join(mountpoint, path);
  await say(`$ echo '${greeting.trimEnd()}' > srv/hello\n`);
  await writeFile(at('srv/hello'), greeting);
  await say(`$ echo 'And to you.' >> etc/motd\n`);
  await appendFile(at('etc/motd'), 'And to you.\n');
  await say('$ chmod 600 srv/logo\n');
  await chmod(at('srv/logo'), 0o600);
  await say('$ rm srv/page-003\n');
  await rm(at('srv/page-003'));
}

/** What can be seen of an image without mounting it. */
async function look(store: Store, { say }: Telling): Promise<void> {
  await say(`\nThe image can be looked at without being mounted.\n\n$ layerfs ls ${image}:/etc\n`);
  for await (const entry of store.ls(image, '/etc')) await say(`${display(entry.name)}\n`);
  await say(`\n$ layerfs inspect ${image}\n`);
  const { platform, layers } = await store.inspect(image);
  await say(`${platform}\n`);
  const rows = table(layers, [
    { heading: 'LAYER', value: ({ diffId }) => shortDigest(diffId) },
    { heading: 'FILES', value: ({ entries }) => String(entries), align: 'right' },
    { heading: 'SIZE', value: ({ size }) => byteCount(size), align: 'right' },
  ]);
  await say(rows);
}
