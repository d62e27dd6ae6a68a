/** Writing an outer archive (docker-archive, oci-archive). */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as tar from 'tar-stream';
import { LayerfsError } from '../errors.js';

export interface PackMember {
  readonly name: string;
  /** Length of `body` in bytes: a tar says it before the bytes. */
  readonly size: number;
  readonly body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export type PackMembers = AsyncIterable<PackMember> | Iterable<PackMember>;

/**
 * A tar of the members, in their order. The same members always give the same bytes: mode 0644, uid and gid 0, no
 * names of owners, mtime 0. Members are asked for, and their bodies read, as fast as the tar is read; destroying
 * the stream ends the body in progress.
 *
 * The stream fails with whatever a body throws, or with LayerfsError SIZE_MISMATCH where a body is not as long as
 * its member says.
 */
export function packArchive(members: PackMembers): Readable {
  return Readable.from(pack(members), { objectMode: false });
}

async function* pack(members: PackMembers): AsyncGenerator<Buffer> {
  const archive = tar.pack();
  let failure: unknown;
  const filled = fill(archive, members).catch((error: unknown) => {
    // A consumer that goes away makes the filling fail too; then the first reason is the one to tell.
    failure = error;
    archive.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  try {
    for await (const chunk of archive) yield chunk as Buffer;
  } catch (error) {
    throw failure ?? error;
  } finally {
    archive.destroy();
    await filled;
  }
}

async function fill(archive: tar.Pack, members: PackMembers): Promise<void> {
  for await (const { name, size, body } of members) {
    const entry = archive.entry({
      name,
      size,
      type: 'file',
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtime: new Date(0),
    });
    await pipeline(exactly(name, size, body), entry);
  }
  archive.finalize();
}

async function* exactly(name: string, size: number, body: PackMember['body']): AsyncGenerator<Uint8Array> {
  let written = 0;
  for await (const chunk of body) {
    written += chunk.length;
    if (written > size) throw sizeMismatch(name, size, `at least ${written}`);
    yield chunk;
  }
  if (written < size) throw sizeMismatch(name, size, String(written));
}

function sizeMismatch(name: string, expected: number, actual: string): LayerfsError {
  return new LayerfsError('SIZE_MISMATCH', `${name}: ${expected} bytes were promised, there are ${actual}`, {
    detail: { path: name, expected, actual },
  });
}
