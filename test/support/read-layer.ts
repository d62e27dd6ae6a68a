/** A layer tar as entries and contents. */
import { type LayerPath } from '../../lib/bytes.js';
import type { Entry } from '../../lib/layer/entry.js';
import { entryOf } from '../../lib/tar/layer-tar.js';
import { TarReader } from '../../lib/tar/reader.js';

export interface LayerContents {
  /** In the order of the tar. */
  readonly entries: readonly Entry[];
  /** Of regular files. */
  readonly files: ReadonlyMap<LayerPath, Buffer>;
}

/** Throws for whatever the tar reader refuses or warns about. */
export function readLayer(tar: Buffer): LayerContents {
  const entries: Entry[] = [];
  const files = new Map<LayerPath, Buffer>();
  let chunks: Buffer[] = [];
  const reader = new TarReader({
    member: (member) => {
      const entry = entryOf(member, ({ message }) => {
        throw new Error(message);
      });
      if (entry !== null) entries.push(entry);
    },
    data: (chunk) => chunks.push(Buffer.from(chunk)),
    memberEnd: () => {
      const entry = entries.at(-1);
      if (entry?.kind === 'file') files.set(entry.path, Buffer.concat(chunks));
      chunks = [];
    },
  });
  reader.write(tar);
  reader.end();
  return { entries, files };
}
