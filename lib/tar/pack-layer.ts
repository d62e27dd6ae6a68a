/** Entries to the tar of a layer. */
import { baseOf, display, type LayerPath } from '../bytes.js';
import { LayerfsError } from '../errors.js';
import type { Entry, FileEntry, HardlinkEntry, Meta } from '../layer/entry.js';
import { parseWhiteout } from '../layer/whiteout.js';
import { memberOf, memberOfHardlink } from './layer-tar.js';
import { encodeMember, endOfArchive, paddingOf, type TarMemberInput } from './writer.js';

export type EntrySource = AsyncIterable<Entry> | Iterable<Entry>;

/** Headers and small files are handed on together, in pieces of about this size. */
const pieceSize = 256 * 1024;

/**
 * The tar that brings the entries, in their order: the same entries and bodies always give the same bytes. `body`
 * is asked for the bytes of each file as its turn comes (holes as zeros), before the next entry is asked for. A
 * hardlink must come after the file it names, whose attributes it repeats.
 *
 * @throws LayerfsError SIZE_MISMATCH where a body is not as long as its entry says; ENTRY_INVALID for a name that a
 *   tar cannot hold without its meaning something else (`.wh.…`), and for a hardlink to a file that is not in the
 *   tar; LIMIT_EXCEEDED
 */
export async function* packLayer(
  entries: EntrySource,
  body: (file: FileEntry) => AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Buffer> {
  const linkable = new Map<LayerPath, Meta>();
  const piece = new Piece();
  for await (const entry of entries) {
    const member = entry.kind === 'hardlink' ? hardlinkMember(entry, linkable) : memberOf(named(entry));
    piece.add(encodeMember(member));
    if ('meta' in entry && entry.kind !== 'directory') linkable.set(entry.path, entry.meta);
    if (entry.kind === 'file') {
      let written = 0;
      for await (const chunk of body(entry)) {
        written += chunk.length;
        if (written > entry.size) throw sizeMismatch(entry, `more than ${entry.size}`);
        piece.add(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
        if (piece.size >= pieceSize) yield piece.take();
      }
      if (written < entry.size) throw sizeMismatch(entry, String(written));
      piece.add(paddingOf(entry.size));
    }
    if (piece.size >= pieceSize) yield piece.take();
  }
  piece.add(endOfArchive());
  yield piece.take();
}

/** Bytes on their way out. */
class Piece {
  #chunks: Buffer[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  take(): Buffer {
    const [only] = this.#chunks;
    const taken =
      this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks, this.#size);
    this.#chunks = [];
    this.#size = 0;
    return taken;
  }
}

function hardlinkMember(entry: HardlinkEntry, linkable: ReadonlyMap<LayerPath, Meta>): TarMemberInput {
  const meta = linkable.get(entry.target);
  if (meta !== undefined) return memberOfHardlink(named(entry), meta);
  throw invalid(entry, `the file it is a link to, ${display(entry.target)}, does not come before it`);
}

/** A file called `.wh.x` would come out of the tar as a whiteout of `x`. */
function named<E extends Entry>(entry: E): E {
  if (entry.kind === 'whiteout' || entry.kind === 'opaque') return entry;
  const name = baseOf(entry.path);
  if (parseWhiteout(name) === null) return entry;
  throw invalid(entry, 'in a layer a name that begins with .wh. means a whiteout');
}

function sizeMismatch({ path, size }: FileEntry, actual: string): LayerfsError {
  const name = display(path);
  return new LayerfsError('SIZE_MISMATCH', `${name}: ${actual} bytes, the entry says ${size}`, {
    detail: { path: name, expected: size, actual },
  });
}

function invalid(entry: Entry, problem: string): LayerfsError {
  const path = display(entry.path);
  return new LayerfsError('ENTRY_INVALID', `${path}: ${problem}`, { detail: { path } });
}
