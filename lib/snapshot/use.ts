/**
 * Use records: one file for each mount, written before the mount can be seen. A mount outlives the process that made
 * it and may be copied into other mount namespaces, so what a record says is checked against the kernel whenever it
 * matters, and a record is dropped only when no namespace shows its mount any more.
 */
import { randomUUID } from 'node:crypto';
import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostPath } from '../bytes.js';
import type { Digest } from '../digest.js';
import { codeOf } from '../errors.js';
import { writeFileAtomic } from '../fs/atomic.js';
import { bootId } from '../mount/boot-id.js';
import { presenceOf, type MountTrace, type Presence } from '../mount/presence.js';
import { mountNamespaceId } from '../sys/index.js';

export interface Use extends MountTrace {
  readonly version: 1;
  readonly id: string;
  /** A mount does not survive its boot. */
  readonly bootId: string;
  readonly mountpoint: HostPath;
  readonly driver: string;
  /** null for a view. */
  readonly snapshot: string | null;
  /** Name under which the image was mounted. */
  readonly image: string | null;
  readonly chainId: Digest | null;
  readonly layers: readonly string[];
  /** Who asked for it. */
  readonly pid: number;
  readonly uid: number;
  readonly since: string;
}

export type NewUse = Omit<Use, 'version' | 'id' | 'bootId' | 'namespaceId' | 'pid' | 'uid' | 'since'>;

export class UseStore {
  readonly #directory: HostPath;
  readonly #temporaryDirectory: HostPath;

  constructor(directory: HostPath, temporaryDirectory: HostPath) {
    this.#directory = directory;
    this.#temporaryDirectory = temporaryDirectory;
  }

  /** A fresh id, which goes into the mount's source too, so that other namespaces' tables show whose it is. */
  static newId(): string {
    return randomUUID();
  }

  async add(id: string, use: NewUse): Promise<Use> {
    const record: Use = {
      version: 1,
      id,
      ...use,
      bootId: await bootId(),
      namespaceId: mountNamespaceId()?.toString() ?? null,
      pid: process.pid,
      uid: process.geteuid?.() ?? 0,
      since: new Date().toISOString(),
    };
    await writeFileAtomic(join(this.#directory, `${id}.json`), JSON.stringify(record), {
      // The record means nothing after a reboot, so it need not survive one.
      durable: false,
      temporaryDirectory: this.#temporaryDirectory,
    });
    return record;
  }

  async remove(id: string): Promise<void> {
    await rm(join(this.#directory, `${id}.json`), { force: true });
  }

  /** Drops the record of a mount that is nowhere any more. */
  async drop(use: Use): Promise<void> {
    if (presenceOf(use) === 'gone') await this.remove(use.id);
  }

  /** Every mount that is still there, with where it is, the oldest first. Records of mounts that are gone are dropped. */
  async list(): Promise<{ use: Use; presence: Exclude<Presence, 'gone'> }[]> {
    const present = [];
    for (const name of await readdir(this.#directory)) {
      const use = await this.#read(name);
      if (use === undefined) continue;
      const presence = use.bootId === (await bootId()) ? presenceOf(use) : 'gone';
      if (presence === 'gone') await this.remove(use.id);
      else present.push({ use, presence });
    }
    return present.sort((a, b) => compareAge(a.use, b.use));
  }

  async #read(name: string): Promise<Use | undefined> {
    if (!/^[0-9a-f-]{36}\.json$/.test(name)) return undefined;
    let text: string;
    try {
      text = await readFile(join(this.#directory, name), 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
    try {
      return JSON.parse(text) as Use;
    } catch (error) {
      // Written without a sync: only a machine that stopped leaves half of one, and its mounts are gone.
      if (!(error instanceof SyntaxError)) throw error;
      await rm(join(this.#directory, name), { force: true });
      return undefined;
    }
  }
}

/** Two mounts of one millisecond are told apart by the kernel's ids, which only grow. */
function compareAge(a: Use, b: Use): number {
  if (a.since !== b.since) return a.since < b.since ? -1 : 1;
  return BigInt(a.mountId) < BigInt(b.mountId) ? -1 : 1;
}
