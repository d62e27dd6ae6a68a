/** An image as one tree, without layers: in a new directory, or as a tar. */
import { mkdir, readdir, rename } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import type { HostPath } from '../bytes.js';
import type { LayerStack } from '../driver.js';
import { LayerfsError, codeOf } from '../errors.js';
import { FlatTree } from '../flat/entries.js';
import { fromLayers, materialize } from '../flat/materialize.js';
import { syncDirectory, temporaryName } from '../fs/atomic.js';
import { removeTree } from '../fs/remove.js';
import { syncFileSystem } from '../fs/sync.js';
import { writeOutput, type OutputOptions } from '../target/output.js';
import { packLayer } from '../tar/pack-layer.js';
import { Stack } from '../union/stack.js';
import type { Lease } from '../layout/lease.js';
import type { StoreParts } from './parts.js';

/** A path that ends in `.tar`, or a stream, gets a tar; any other path a directory. */
export async function exportRootfs(
  store: StoreParts,
  name: string,
  output: HostPath | Writable,
  lease: Lease,
  options: OutputOptions,
): Promise<void> {
  const image = await store.images.open(name);
  await lease.hold(image.config.diffIds, options);
  const layers = await store.chains.stack(image.config.diffIds);
  const indexes = [];
  for (const layer of layers.layers) indexes.push(await layer.index());
  const stack = new Stack(indexes);
  if (typeof output === 'string' && !output.endsWith('.tar')) {
    await writeDirectory(stack, layers, output, options);
    return;
  }
  const trees = layers.layers.map(({ tree }) => tree);
  const flat = new FlatTree(stack, trees, layers.root);
  await writeOutput(
    packLayer(flat.entries(), (file) => flat.contents(file)),
    output,
    options,
  );
}

async function writeDirectory(
  stack: Stack,
  { layers, root }: LayerStack,
  directory: HostPath,
  options: OutputOptions,
): Promise<void> {
  const path = resolve(directory);
  await requireNothingAt(path);
  const temporary = temporaryName(dirname(path), 'rootfs');
  await mkdir(temporary, 0o700);
  try {
    const contents = fromLayers(
      stack,
      layers.map(({ tree }) => tree),
    );
    await materialize(stack, root, contents, temporary, { signal: options.signal });
    if (options.durable) syncFileSystem(temporary);
    await rename(temporary, path);
    if (options.durable) await syncDirectory(dirname(path));
  } catch (error) {
    await removeTree(temporary);
    throw error;
  }
}

/** An empty directory may be replaced. @throws LayerfsError TARGET_EXISTS */
async function requireNothingAt(path: HostPath): Promise<void> {
  let names: string[];
  try {
    names = await readdir(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    if (codeOf(error) !== 'ENOTDIR') throw error;
    names = [path];
  }
  if (names.length === 0) return;
  throw new LayerfsError('TARGET_EXISTS', `${path} exists already, and is not an empty directory`, {
    detail: { path },
  });
}
