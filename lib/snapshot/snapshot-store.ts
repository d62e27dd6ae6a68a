/** The snapshots of a store, each a directory with `snapshot.json` and what its driver keeps beside it. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isDigest, type Digest } from '../digest.js';
import type { SnapshotDirectory, SnapshotForm } from './snapshot.js';
import { LayerfsError, codeOf, messageOf } from '../errors.js';
import { renameDurable, syncDirectory, writeFileAtomic } from '../fs/atomic.js';
import type { StoreLayout } from '../layout/layout.js';
import { TemporaryDirectory } from '../layout/temporary.js';

/** snapshot.json, as docs/format.md has it. */
export interface SnapshotRecord {
  readonly version: 1;
  readonly id: string;
  readonly created: string;
  /** The image it was made from: name and manifest digest at that time. */
  readonly image: { readonly name: string; readonly digest: Digest } | null;
  /** The stack below it, bottom first. */
  readonly diffIds: readonly Digest[];
  readonly driver: string;
  readonly form: SnapshotForm;
  /** What a driver must understand to go on with an upper: kinds of marks and xattrs in it. */
  readonly features: readonly string[];
}

/** What the uppers of this version may hold. A record with another feature is refused, not guessed at. */
export const upperFeatures = ['whiteout-device', 'xattr-trusted', 'redirect'] as const;

export class SnapshotStore {
  readonly #layout: StoreLayout;

  constructor(layout: StoreLayout) {
    this.#layout = layout;
  }

  static newId(): string {
    return randomBytes(6).toString('hex');
  }

  /** @throws LayerfsError REFERENCE_INVALID */
  static checkId(id: string): string {
    if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(id)) return id;
    throw new LayerfsError(
      'REFERENCE_INVALID',
      `not a snapshot id: ${JSON.stringify(id)} (letters, digits, "_", "." and "-", 128 at most)`,
    );
  }

  directory(id: string): SnapshotDirectory {
    return { id, directory: join(this.#layout.snapshots, id) };
  }

  /**
   * Makes a snapshot: complete and durable when it is to be seen.
   * @param fill makes what the driver keeps in the directory, durably
   * @throws LayerfsError NAME_EXISTS, and whatever `fill` throws
   */
  async create(record: SnapshotRecord, fill: (snapshot: SnapshotDirectory) => Promise<void>): Promise<void> {
    await using temporary = await TemporaryDirectory.create(this.#layout);
    const directory = join(temporary.path, 'snapshot');
    await mkdir(directory, 0o700);
    await fill({ id: record.id, directory });
    await writeFileAtomic(join(directory, 'snapshot.json'), JSON.stringify(record), this.#layout);
    try {
      await renameDurable(directory, this.directory(record.id).directory, this.#layout);
    } catch (error) {
      if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error;
      throw new LayerfsError('NAME_EXISTS', `there is a snapshot ${record.id} already`, { cause: error });
    }
  }

  /** @throws LayerfsError STORE_INVALID */
  async get(id: string): Promise<SnapshotRecord | undefined> {
    const path = join(this.#layout.snapshots, SnapshotStore.checkId(id), 'snapshot.json');
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
    return parseRecord(text, id);
  }

  async list(): Promise<SnapshotRecord[]> {
    const records = [];
    for (const id of (await readdir(this.#layout.snapshots)).sort()) {
      const record = await this.get(id);
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  /** Takes a snapshot out of sight in one step, and then deletes it. The caller has made sure that it is not mounted. */
  async remove(id: string): Promise<void> {
    await using temporary = await TemporaryDirectory.create(this.#layout);
    try {
      await rename(this.directory(id).directory, join(temporary.path, 'snapshot'));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      throw new LayerfsError('SNAPSHOT_NOT_FOUND', `there is no snapshot ${id}`, { cause: error });
    }
    if (this.#layout.durable) await syncDirectory(this.#layout.snapshots);
  }
}

function parseRecord(text: string, id: string): SnapshotRecord {
  const invalid = (why: string, cause?: unknown): LayerfsError =>
    new LayerfsError('STORE_INVALID', `snapshot ${id}: snapshot.json: ${why}`, {
      cause,
      detail: { snapshot: id },
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw invalid(messageOf(error), error);
  }
  const record = value as Partial<SnapshotRecord> | null;
  if (record === null || typeof record !== 'object' || record.version !== 1) throw invalid('unknown version');
  if (record.id !== id) throw invalid('is about another snapshot');
  if (!Array.isArray(record.diffIds) || !record.diffIds.every(isDigest))
    throw invalid('diffIds are not digests');
  if (record.form !== 'upper' && record.form !== 'copy') throw invalid('unknown form');
  const unknown = record.features?.filter(
    (feature) => !(upperFeatures as readonly string[]).includes(feature),
  );
  if (unknown === undefined || unknown.length > 0) {
    throw invalid(`needs features that this version does not know: ${String(unknown)}`);
  }
  return record as SnapshotRecord;
}
