/** Where everything in a store is; docs/format.md is the specification. */
import { readFile, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import type { HostPath } from '../bytes.js';
import { LayerfsError, codeOf } from '../errors.js';
import { makeDirectoryDurable, writeFileAtomic } from '../fs/atomic.js';

/** Version of the store's format. A store of a newer one is refused; an older one would be upgraded. */
export const formatVersion = 1;

export class StoreLayout {
  readonly root: HostPath;
  readonly durable: boolean;

  constructor(root: HostPath, durable: boolean) {
    this.root = root;
    this.durable = durable;
  }

  get content(): HostPath {
    return join(this.root, 'content');
  }
  get names(): HostPath {
    return join(this.root, 'names');
  }
  get ingest(): HostPath {
    return join(this.root, 'ingest');
  }
  get layers(): HostPath {
    return join(this.root, 'layers');
  }
  get chains(): HostPath {
    return join(this.root, 'chains');
  }
  get snapshots(): HostPath {
    return join(this.root, 'snapshots');
  }
  get uses(): HostPath {
    return join(this.root, 'uses');
  }
  get leases(): HostPath {
    return join(this.root, 'leases');
  }
  get temporary(): HostPath {
    return join(this.root, 'tmp');
  }
  get locks(): HostPath {
    return join(this.root, 'locks');
  }
  /** What a driver needs of its own. */
  driver(name: string): HostPath {
    return join(this.root, name);
  }
}

/** `--root`, else LAYERFS_ROOT, else /var/lib/layerfs for root and `$XDG_DATA_HOME/layerfs` for everyone else. */
export function defaultRoot(environment: NodeJS.ProcessEnv = process.env): HostPath {
  const named = environment['LAYERFS_ROOT'];
  if (named !== undefined && named !== '') return resolve(named);
  if (process.geteuid?.() === 0) return '/var/lib/layerfs';
  const data = environment['XDG_DATA_HOME'];
  return join(data !== undefined && isAbsolute(data) ? data : join(homedir(), '.local', 'share'), 'layerfs');
}

/**
 * Checks the version of a store, or makes an empty one where there is nothing.
 * @throws LayerfsError STORE_VERSION, STORE_INVALID
 */
export async function prepareLayout(layout: StoreLayout): Promise<void> {
  const versionFile = join(layout.root, 'version');
  let text: string;
  try {
    text = await readFile(versionFile, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR') {
      throw new LayerfsError('STORE_INVALID', `${layout.root} is not a directory`, { cause: error });
    }
    if (codeOf(error) !== 'ENOENT') throw error;
    await makeLayout(layout, versionFile);
    return;
  }
  const version = /^[1-9][0-9]{0,8}\n$/.test(text) ? Number(text) : 0;
  if (version === formatVersion) return;
  if (version > formatVersion) {
    throw new LayerfsError(
      'STORE_VERSION',
      `${layout.root}: written by a newer layerfs (format ${version}; this one knows ${formatVersion})`,
      { detail: { version, supported: formatVersion } },
    );
  }
  throw new LayerfsError('STORE_INVALID', `${versionFile}: not a format version`);
}

async function makeLayout(layout: StoreLayout, versionFile: HostPath): Promise<void> {
  const known = new Set([
    'content',
    'names',
    'ingest',
    'layers',
    'chains',
    'snapshots',
    'uses',
    'leases',
    'tmp',
    'locks',
  ]);
  await makeDirectoryDurable(layout.root, layout);
  // Half of a store is what a process that was killed right here leaves; anything else is not ours to fill.
  const strangers = (await readdir(layout.root)).filter(
    (name) => !known.has(name) && !/^\.version\./.test(name),
  );
  if (strangers.length > 0) {
    throw new LayerfsError(
      'STORE_INVALID',
      `${layout.root} is neither empty nor a layerfs store: it holds ${strangers.slice(0, 3).join(', ')}`,
    );
  }
  const { names, ingest, layers, chains, snapshots, uses, leases, temporary, locks } = layout;
  for (const directory of [names, ingest, layers, chains, snapshots, uses, leases, temporary, locks]) {
    await makeDirectoryDurable(directory, layout);
  }
  await writeFileAtomic(versionFile, `${formatVersion}\n`, layout);
}
