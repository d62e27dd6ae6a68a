/** Outer archives from values: what packArchive would never write (links, directories, duplicates) included. */
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import * as tar from 'tar-stream';
import type { HostPath } from '../../lib/bytes.js';

export type OuterMember = readonly [
  header: Partial<tar.Header> & { name: string },
  body?: string | Uint8Array,
];

export async function writeOuterArchive(file: HostPath, members: readonly OuterMember[]): Promise<HostPath> {
  const pack = tar.pack();
  for (const [header, body] of members) {
    pack.entry({ mtime: new Date(0), ...header }, Buffer.from(body ?? ''));
  }
  pack.finalize();
  await pipeline(pack, createWriteStream(file));
  return file;
}
