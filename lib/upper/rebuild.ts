/** The tar of an unpacked layer, put together again byte for byte: its frame, and the data of its files. */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { join } from 'node:path';
import { bytes, type HostPath } from '../bytes.js';
import { LayerfsError } from '../errors.js';
import { layerFiles } from '../layer/layer-files.js';
import type { LayerIndex } from '../layer/layer-index.js';
import {
  AT_FDCWD,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  close,
  openat,
  openat2,
  procPath,
} from '../sys/index.js';
import { rebuildTar } from '../tar/raw.js';

const how = {
  flags: O_RDONLY | O_NOFOLLOW,
  resolve: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
};

/**
 * The uncompressed tar of a layer whose record says `tarFrame`. Whoever uses it compares it with the diffID.
 * @param directory of the layer
 * @throws LayerfsError STORE_INVALID where frame, index and tree do not fit together
 */
export async function* rebuildLayerTar(directory: HostPath, index: LayerIndex): AsyncGenerator<Buffer> {
  const records = new Map<number, number>();
  for (const record of index.walk()) {
    const offset = index.dataOffset(record);
    if (offset >= 0 && index.kind(record) === 'file') records.set(offset, record);
  }
  const tree = openat(AT_FDCWD, bytes(join(directory, layerFiles.tree)), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    const frame = createReadStream(join(directory, layerFiles.tarFrame)).pipe(createGunzip());
    yield* rebuildTar(frame as AsyncIterable<Buffer>, (offset) => {
      const record = records.get(offset);
      if (record === undefined) {
        throw new LayerfsError('STORE_INVALID', `${directory}: no file has its data at ${offset} of the tar`);
      }
      return dataOf(tree, index, record);
    });
  } finally {
    close(tree);
  }
}

/** The data of a file as the tar has it: of a sparse one, its extents one after another. */
async function* dataOf(tree: number, index: LayerIndex, record: number): AsyncGenerator<Buffer> {
  const fd = openat2(tree, index.path(record), how);
  try {
    const runs = index.extents(record) ?? [{ offset: 0, size: index.size(record) }];
    for (const { offset, size } of runs) {
      // Node must not close a descriptor that it did not open, so it opens the file again.
      const stream = createReadStream(procPath(fd), { start: offset, end: offset + size - 1 });
      for await (const chunk of stream) yield chunk as Buffer;
    }
  } finally {
    close(fd);
  }
}
