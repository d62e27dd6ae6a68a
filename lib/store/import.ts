/** Bringing images into the store. */
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Abortable } from '../abort.js';
import { display } from '../bytes.js';
import type { Digest } from '../digest.js';
import { LayerfsError } from '../errors.js';
import type { Descriptor } from '../image/descriptor.js';
import { parseReference } from '../image/reference.js';
import { openSource } from '../source/open.js';
import type { SourceRoot } from '../source/source.js';
import { parseTransport, type Transport } from '../source/transport.js';
import { ImageImport } from './image-import.js';
import type { StoreParts } from './parts.js';
import type { ProgressEvent } from './progress.js';
import { TemporaryDirectory } from '../layout/temporary.js';

/** Something that was left out or looks odd; the operation goes on. */
export interface Warning {
  readonly code: string;
  /** What it is about: a path in a layer, a layer, an image. */
  readonly subject: string;
  readonly message: string;
}

export interface ImportOptions extends Abortable {
  /** How layers are kept. Only `unpacked` in this version. */
  form?: 'unpacked' | 'packed' | undefined;
  /** Every platform of an index, not only one. */
  all?: boolean | undefined;
  /** `OS/ARCH[/VARIANT]`; the machine's own by default. */
  platform?: string | undefined;
  /** Layers worked on at the same time; as many as there are processors by default. */
  jobs?: number | undefined;
  /** What the path `-` reads. */
  stdin?: Readable | undefined;
  onProgress?: ((event: ProgressEvent) => void) | undefined;
  onWarning?: ((warning: Warning) => void) | undefined;
}

export interface ImportResult {
  /** Canonical. */
  readonly name: string;
  /** What the name stands for now. */
  readonly digest: Digest;
  readonly layers: number;
  /** Bytes of the blobs, as they are compressed. */
  readonly size: number;
}

/**
 * Brings images into the store: every blob verified, every layer unpacked, then the names.
 * @param text what to import, as lib/source/open.ts has it
 * @param name for the one image that the source holds or that was chosen in it
 */
export async function importImages(
  store: StoreParts,
  text: string,
  name: string | undefined,
  options: ImportOptions,
): Promise<ImportResult[]> {
  if (options.form === 'packed') {
    throw new LayerfsError(
      'UNSUPPORTED',
      'packed layers are not in this version yet: import with the form "unpacked"',
    );
  }
  const jobs = options.jobs ?? availableParallelism();
  if (!Number.isSafeInteger(jobs) || jobs < 1) throw new TypeError('jobs must be a whole number above 0');
  const transport = parseTransport(text);
  const wanted = name === undefined ? undefined : parseReference(name).name;
  await using temporary = await TemporaryDirectory.create(store.layout);
  const spool = join(temporary.path, randomUUID());
  await mkdir(spool, 0o700);
  options.onProgress?.({ kind: 'phase', phase: 'open', message: `reading ${text}` });
  await using source = await openSource(text, {
    temporary: spool,
    signal: options.signal,
    ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
    onWarning: ({ code, path, message }) => options.onWarning?.({ code, subject: display(path), message }),
  });
  const roots = namesOf(await source.roots(options), transport, wanted);
  await using work = new ImageImport(store, source, jobs, options);
  const results = [];
  for (const { descriptor, name } of roots) results.push(await work.run(descriptor, name));
  return results;
}

interface NamedRoot {
  readonly descriptor: Descriptor;
  readonly name: string;
}

/** @throws LayerfsError REFERENCE_INVALID where a name must be given */
function namesOf(
  roots: readonly SourceRoot[],
  transport: Transport,
  wanted: string | undefined,
): NamedRoot[] {
  if (wanted !== undefined) {
    const [first] = roots;
    const digests = new Set(roots.map(({ descriptor }) => descriptor.digest));
    if (first === undefined || digests.size > 1) {
      const there = roots.map((root) => root.name ?? root.descriptor.digest).join(', ');
      throw new LayerfsError(
        'REFERENCE_INVALID',
        `the source holds several images (${there}): choose one in the source's tag, or leave out the name to import all`,
      );
    }
    return [{ descriptor: first.descriptor, name: wanted }];
  }
  return roots.map(({ descriptor, name }) => ({ descriptor, name: defaultName(name, transport) }));
}

/** What a source calls an image, where that is a whole reference; else a tag behind the name of the directory or file. */
function defaultName(name: string | undefined, transport: Transport): string {
  if (name !== undefined && /[/:]/.test(name)) return parseReference(name).name;
  if (transport.kind !== 'rootfs' && transport.path !== '-') {
    const stem = basename(transport.path)
      .replace(/\.tar(\.gz)?$/, '')
      .toLowerCase();
    return parseReference(name === undefined ? stem : `${stem}:${name}`).name;
  }
  throw new LayerfsError(
    'REFERENCE_INVALID',
    'the source does not name its image: give a name, for example debian:12',
  );
}
