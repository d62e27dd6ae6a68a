/** Writing an image into a directory in the OCI image layout. */
import { mkdir, readFile, readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { throwIfAborted } from '../abort.js';
import type { HostPath } from '../bytes.js';
import { LayerfsError, codeOf, wrapError } from '../errors.js';
import { renameDurable, syncDirectory, temporaryName } from '../fs/atomic.js';
import { removeTree } from '../fs/remove.js';
import type { Descriptor } from '../image/descriptor.js';
import { FileLock } from '../fs/lock.js';
import { blobName, distinct, newIndex, ociLayout, updatedIndex, type OciExport } from './oci-layout.js';
import { writeOutput, type OutputOptions } from './output.js';

/**
 * Puts an image into a layout, new or existing. The directory appears when it is complete. In one that exists blobs
 * that are there are not written again, and index.json, which decides what the layout holds, is replaced at the
 * very end: a name moves from the image that had it, whose blobs stay. Several processes may write to one layout.
 *
 * @param name for the annotation `org.opencontainers.image.ref.name`; without it the image has no name there
 * @throws LayerfsError TARGET_EXISTS for a directory that holds other things, MANIFEST_INVALID for a damaged
 *   layout, NO_SPACE, PERMISSION, ABORTED, FILESYSTEM, and whatever `image.read` throws
 */
export async function writeOci(
  image: OciExport,
  directory: HostPath,
  name: string | undefined,
  options: OutputOptions,
): Promise<void> {
  const path = resolve(directory);
  try {
    if (await isLayout(path)) await addTo(path, image, name, options);
    else await create(path, image, name, options);
  } catch (error) {
    throw wrapError(error, `write ${path}`, { path });
  }
}

/** False where nothing is there yet. */
async function isLayout(path: HostPath): Promise<boolean> {
  let names: string[];
  try {
    // Hidden names are those of writers at work.
    names = (await readdir(path)).filter((name) => !name.startsWith('.'));
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return false;
    if (code !== 'ENOTDIR') throw error;
    throw new LayerfsError('TARGET_EXISTS', `${path} is not a directory`, { cause: error, detail: { path } });
  }
  if (names.length === 0 || names.includes('oci-layout')) return true;
  throw new LayerfsError('TARGET_EXISTS', `${path} holds other things than an OCI image layout`, {
    detail: { path },
  });
}

async function create(
  path: HostPath,
  image: OciExport,
  name: string | undefined,
  options: OutputOptions,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(dirname(path), 'layout');
  try {
    await mkdir(temporary);
    await writeBlobs(temporary, image, options);
    await writeOutput([ociLayout], join(temporary, 'oci-layout'), options);
    await writeOutput([newIndex(image.root, name)], join(temporary, 'index.json'), options);
    await renameDurable(temporary, path, options);
  } catch (error) {
    await removeTree(temporary);
    const code = codeOf(error);
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    // Another writer's layout has appeared meanwhile.
    await addTo(path, image, name, options);
  }
}

async function addTo(
  path: HostPath,
  image: OciExport,
  name: string | undefined,
  options: OutputOptions,
): Promise<void> {
  const lock = await FileLock.acquire(join(path, '.lock'), 'exclusive', { ...options, removeAfter: true });
  try {
    await writeOutput([ociLayout], join(path, 'oci-layout'), options);
    await writeBlobs(path, image, options);
    const file = join(path, 'index.json');
    const index = await readIfThere(file);
    const updated = index === undefined ? newIndex(image.root, name) : updatedIndex(index, image.root, name);
    await writeOutput([updated], file, options);
  } finally {
    lock[Symbol.dispose]();
  }
}

async function writeBlobs(path: HostPath, image: OciExport, options: OutputOptions): Promise<void> {
  for (const blob of distinct(image.blobs)) {
    throwIfAborted(options.signal, `write ${path}`);
    const file = join(path, blobName(blob.digest));
    await mkdir(dirname(file), { recursive: true });
    if (!(await isThere(file, blob))) await writeOutput(image.read(blob), file, options);
  }
  if (options.durable) await syncDirectory(join(path, 'blobs'));
}

/** One of another size is what a loss of power has left of it. */
async function isThere(file: HostPath, { size }: Descriptor): Promise<boolean> {
  try {
    return (await stat(file)).size === size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function readIfThere(file: HostPath): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
