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

/**
 * Whether the clean-up takes something away. Without that the image has no whiteouts, for whoever may not write the
 * marks that they become.
 */
export type SampleKind = 'whole' | 'without-whiteouts';

/** 2024-01-02T03:04:05.678901234Z: to the nanosecond, since layers keep that. */
const mtime = 1_704_164_645_678_901_234n;

/** Three layers, the lowest first: a base system, an application on top of it, and a clean-up. */
export function sampleLayers(kind: SampleKind): readonly SampleLayer[] {
  return [
    { createdBy: 'make base system', entries: baseSystem() },
    { createdBy: 'install the application', entries: application() },
    { createdBy: 'clean up', entries: cleanUp(kind) },
  ];
}

function baseSystem(): SampleEntry[] {
  return [
    directory(''),
    directory('bin'),
    file('bin/su', 'a program that runs with the rights of its owner\n', { mode: 0o4755 }),
    directory('etc'),
    file('etc/hostname', 'sample\n'),
    file('etc/motd', 'Welcome to the base system.\n'),
    file('etc/os-release', 'NAME="Sample"\nVERSION_ID="1"\n'),
    directory('tmp', { mode: 0o1777 }),
    directory('usr'),
    directory('usr/lib'),
    ...files('usr/lib/part-', 200),
    symlink('usr/lib/part', 'part-001'),
    directory('var'),
    directory('var/packages'),
    ...files('var/packages/package-', 40),
  ];
}

function application(): SampleEntry[] {
  return [
    file('etc/motd', 'Welcome to the application.\n'),
    directory('srv'),
    ...files('srv/page-', 150),
    symlink('srv/current', 'page-007'),
    hardlink('srv/index', 'srv/page-001'),
    file('srv/logo', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0xff]), {
      xattrs: new Map([[bytes('user.mime_type'), Buffer.from('image/png')]]),
    }),
  ];
}

function cleanUp(kind: SampleKind): SampleEntry[] {
  const taken = kind === 'whole' ? [whiteout('etc/hostname'), opaque('var/packages')] : [];
  return [...taken, directory('var/packages'), file('var/packages/list', 'nothing is installed\n')];
}

const plain: Meta = { mode: 0o644, uid: 0, gid: 0, mtime, xattrs: new Map() };

function directory(path: string, meta: Partial<Meta> = {}): SampleEntry {
  return bare({ kind: 'directory', path: layerPath(path), meta: { ...plain, mode: 0o755, ...meta } });
}

function file(path: string, contents: string | Buffer, meta: Partial<Meta> = {}): SampleEntry {
  const data = Buffer.from(contents);
  const size = data.length;
  const entry: Entry = {
    kind: 'file',
    path: layerPath(path),
    meta: { ...plain, ...meta },
    size,
    extents: null,
  };
  return { entry, data };
}

/** Numbered files, each longer than the one before. */
function files(prefix: string, count: number): SampleEntry[] {
  return Array.from({ length: count }, (_, at) => {
    const path = `${prefix}${String(at + 1).padStart(3, '0')}`;
    return file(path, `This is ${path}.\n`.repeat(at + 1));
  });
}

function symlink(path: string, target: string): SampleEntry {
  const meta = { ...plain, mode: 0o777 };
  return bare({ kind: 'symlink', path: layerPath(path), meta, target: bytes(target) });
}

function hardlink(path: string, target: string): SampleEntry {
  return bare({ kind: 'hardlink', path: layerPath(path), target: layerPath(target) });
}

function whiteout(path: string): SampleEntry {
  return bare({ kind: 'whiteout', path: layerPath(path) });
}

function opaque(path: string): SampleEntry {
  return bare({ kind: 'opaque', path: layerPath(path) });
}

function bare(entry: Entry): SampleEntry {
  return { entry, data: Buffer.alloc(0) };
}

function layerPath(path: string): LayerPath {
  return bytes(path) as LayerPath;
}
