/** The layers of the sample image, as entries: small, and with everything that makes layers more than archives. */
import { bytes, type LayerPath } from '../bytes.js';
import type { Entry, Meta } from '../layer/entry.js';

/** An entry, and of a file what is in it. */
export interface SampleEntry {
  readonly entry: Entry;
  readonly data: Buffer;
}

export interface SampleLayer {
  readonly createdBy: string;
  readonly entries: readonly SampleEntry[];
}

export interface SampleOptions {
  /** Owner of every file. */
  readonly uid: number;
  readonly gid: number;
  /** Whether the last layer has an opaque directory: the mark for one needs CAP_SYS_ADMIN to be written. */
  readonly opaque: boolean;
}

/** 2024-01-02T03:04:05.678901234Z: to the nanosecond, since layers keep that. */
const mtime = 1_704_164_645_678_901_234n;

/** Three layers, the lowest first: a base system, an application on top of it, and a clean-up. */
export function sampleLayers(options: SampleOptions): readonly SampleLayer[] {
  const make = new EntryMaker(options);
  return [
    { createdBy: 'make base system', entries: baseSystem(make) },
    { createdBy: 'install the application', entries: application(make) },
    { createdBy: 'clean up', entries: cleanUp(make, options.opaque) },
  ];
}

const packageCount = 40;

function baseSystem(make: EntryMaker): SampleEntry[] {
  return [
    make.directory(''),
    make.directory('bin'),
    make.file('bin/su', 'a program that runs with the rights of its owner\n', { mode: 0o4755 }),
    make.directory('etc'),
    make.file('etc/hostname', 'sample\n'),
    make.file('etc/motd', 'Welcome to the base system.\n'),
    make.file('etc/os-release', 'NAME="Sample"\nVERSION_ID="1"\n'),
    make.directory('tmp', { mode: 0o1777 }),
    make.directory('usr'),
    make.directory('usr/lib'),
    ...make.files('usr/lib/part-', 200),
    make.symlink('usr/lib/part', 'part-001'),
    make.directory('var'),
    make.directory('var/packages'),
    ...make.files('var/packages/package-', packageCount),
  ];
}

function application(make: EntryMaker): SampleEntry[] {
  return [
    make.file('etc/motd', 'Welcome to the application.\n'),
    make.directory('srv'),
    ...make.files('srv/page-', 150),
    make.symlink('srv/current', 'page-007'),
    make.hardlink('srv/index', 'srv/page-001'),
    make.file('srv/logo', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0xff]), {
      xattrs: new Map([[bytes('user.mime_type'), Buffer.from('image/png')]]),
    }),
  ];
}

function cleanUp(make: EntryMaker, opaque: boolean): SampleEntry[] {
  const packages = opaque
    ? [make.opaque('var/packages')]
    : Array.from({ length: packageCount }, (_, at) =>
        make.whiteout(numbered('var/packages/package-', at + 1)),
      );
  return [
    make.whiteout('etc/hostname'),
    make.directory('var/packages'),
    ...packages,
    make.file('var/packages/list', 'nothing is left of the packages\n'),
  ];
}

function numbered(prefix: string, number: number): string {
  return `${prefix}${String(number).padStart(3, '0')}`;
}

class EntryMaker {
  readonly #meta: Meta;

  constructor({ uid, gid }: SampleOptions) {
    this.#meta = { mode: 0o644, uid, gid, mtime, xattrs: new Map() };
  }

  directory(path: string, meta: Partial<Meta> = {}): SampleEntry {
    return this.#entry({
      kind: 'directory',
      path: layerPath(path),
      meta: { ...this.#meta, mode: 0o755, ...meta },
    });
  }

  file(path: string, contents: string | Buffer, meta: Partial<Meta> = {}): SampleEntry {
    const data = Buffer.from(contents);
    const entry = {
      kind: 'file',
      path: layerPath(path),
      meta: { ...this.#meta, ...meta },
      size: data.length,
      extents: null,
    } as const;
    return { entry, data };
  }

  files(prefix: string, count: number): SampleEntry[] {
    return Array.from({ length: count }, (_, at) => {
      const path = numbered(prefix, at + 1);
      return this.file(path, `This is ${path}.\n`.repeat(at + 1));
    });
  }

  symlink(path: string, target: string): SampleEntry {
    const meta = { ...this.#meta, mode: 0o777 };
    return this.#entry({ kind: 'symlink', path: layerPath(path), meta, target: bytes(target) });
  }

  hardlink(path: string, target: string): SampleEntry {
    return this.#entry({ kind: 'hardlink', path: layerPath(path), target: layerPath(target) });
  }

  whiteout(path: string): SampleEntry {
    return this.#entry({ kind: 'whiteout', path: layerPath(path) });
  }

  opaque(path: string): SampleEntry {
    return this.#entry({ kind: 'opaque', path: layerPath(path) });
  }

  #entry(entry: Entry): SampleEntry {
    return { entry, data: Buffer.alloc(0) };
  }
}

function layerPath(path: string): LayerPath {
  return bytes(path) as LayerPath;
}
