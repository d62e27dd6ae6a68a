/**
 * Random images: every kind of entry, whiteouts and opaque directories, hardlinks within a layer and to lower ones,
 * directories without entries, paths through symlinks of lower layers, odd names and attributes. The same for one seed.
 * Only what an extractor must take is kept: the oracle is asked before each member.
 */
import type { HostPath } from '../../lib/bytes.js';
import { Random } from '../support/random.js';
import {
  device,
  directory,
  fifo,
  file,
  hardlink,
  opaque,
  sparse,
  symlink,
  whiteout,
  type Layer,
  type Member,
} from '../support/tarball.js';
import type { MetaChanges } from '../support/layer-nodes.js';
import { Oracle, type OracleOptions } from './oracle.js';

/** Few of them in one image, so that paths meet; in the order of bytes, but not of paths joined by slashes. */
const names = [
  ...['a', 'b', 'c', 'd', 'a-b', 'a b', 'a.', '..a', '-', '\\', ':', ',', 'a\nb', '\x01\x7f'],
  ...['\xc3\xa9', '\xff\xfe', '.wh', 'wh.', `${'n'.repeat(254)}\xe9`],
] as const;

const times = [
  ...[0n, 1n, 1_700_000_000_000_000_000n, 1_700_000_000_987_654_321n, -1n, -86_400_000_000_001n],
  ...[2_147_483_647_999_999_999n, 4_294_967_296_000_000_001n],
] as const;

const owners = [0, 0, 1000, 65_534, 2_097_152, 3_000_000, 4_294_967_294] as const;

/** What overlayfs would take for its own marks, were it not escaped. */
const markNames = [
  'opaque',
  'redirect',
  'metacopy',
  'whiteout',
  'origin',
  'overlay.opaque',
  'upper',
] as const;

const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');

export interface RandomImage {
  readonly layers: readonly Layer[];
  /** What the layers come to, in the directory that was given. */
  readonly oracle: Oracle;
}

/** @param plain an empty directory, where the layers are applied */
export function randomImage(seed: number, plain: HostPath, options: OracleOptions = {}): RandomImage {
  const generator = new Generator(new Random(seed), new Oracle(plain, options));
  const layers = Array.from({ length: generator.random.pick([5, 5, 6, 7]) }, () => generator.layer());
  generator.oracle.finish();
  return { layers, oracle: generator.oracle };
}

/** One more layer for an image that there is; `oracle` is changed by it. */
export function randomChange(seed: number, oracle: Oracle): Layer {
  return new Generator(new Random(seed), oracle).layer();
}

class Generator {
  readonly random: Random;
  readonly oracle: Oracle;
  readonly #names: readonly string[];

  constructor(random: Random, oracle: Oracle) {
    this.random = random;
    this.oracle = oracle;
    this.#names = ['a', 'b', random.pick(names), random.pick(names), random.pick(names)];
  }

  layer(): Layer {
    const members: Member[] = [];
    this.oracle.beginLayer();
    const put = (member: Member): void => {
      if (this.oracle.put(member)) members.push(member);
    };
    if (this.random.chance(0.3)) put(directory('', this.#attributes(0o755, true)));
    for (let count = 8 + this.random.below(14); count > 0; count--)
      for (const member of this.#next()) put(member);
    return members;
  }

  /** A member, and perhaps an entry for its directory before it. */
  #next(): Member[] {
    const { random } = this;
    const path = this.#path();
    const slash = path.lastIndexOf('/');
    const member = this.#member(path);
    if (slash < 0 || random.chance(0.5)) return [member];
    return [directory(path.slice(0, slash), this.#attributes(0o755, true)), member];
  }

  #member(path: string): Member {
    const { random } = this;
    switch (random.below(20)) {
      case 0:
      case 1:
      case 2:
        return directory(path, this.#attributes(0o755, true));
      case 3:
      case 4:
        return symlink(this.#target(), path, this.#attributes(0o777, false));
      case 5:
      case 6:
        return hardlink(this.#existing() ?? 'a', path);
      case 7:
      case 8:
      case 9:
        return whiteout(this.#existing() ?? path);
      case 10:
        return whiteout(path);
      case 11:
        return opaque(random.chance(0.1) ? '' : path);
      case 12:
        return fifo(path, this.#attributes(0o600, false));
      case 13:
        return device(
          random.pick(['char', 'block']),
          path,
          1 + random.below(400),
          random.below(70_000),
          this.#attributes(0o600, false),
        );
      case 14:
        return this.#sparse(path);
      default:
        return file(path, this.#data(), this.#attributes(0o644, true));
    }
  }

  /** Often one that is there, or below one: in a directory, a file, or a symlink to either. */
  #path(): string {
    const { random } = this;
    const existing = random.chance(0.6) ? this.#existing() : undefined;
    if (existing !== undefined && random.chance(0.4)) return existing;
    let path = existing ?? random.pick(this.#names);
    while (path.split('/').length < 5 && random.chance(0.5)) path = `${path}/${random.pick(this.#names)}`;
    return path;
  }

  #existing(): string | undefined {
    const paths = this.oracle.paths().filter((path) => path !== '/');
    return paths.length === 0 ? undefined : this.random.pick(paths).replace(/\/$/, '');
  }

  /** Relative or absolute, perhaps with too many `..`, perhaps to nowhere, perhaps in a circle. */
  #target(): string {
    const { random } = this;
    const path = this.#existing() ?? random.pick(this.#names);
    const prefix = random.pick(['/', '', '../', './', '../../../', '/../', '//']);
    return prefix + path;
  }

  #data(): string | Buffer {
    const { random } = this;
    return random.pick([
      '',
      'text',
      `${random.below(1000)}`,
      Buffer.alloc(random.below(3000), random.below(256)),
    ]);
  }

  #sparse(path: string): Member {
    const { random } = this;
    const size = 4096 * (1 + random.below(40)) + random.below(600);
    const start = random.below(size);
    const runs = random.chance(0.2)
      ? []
      : [{ offset: start, data: Buffer.alloc(Math.min(size - start, 700), 'r') }];
    return sparse(path, size, runs, { mtime: random.pick([0n, 1_700_000_000_000_000_001n]) });
  }

  #attributes(mode: number, takesUserXattrs: boolean): MetaChanges {
    const { random } = this;
    const xattrs: Record<string, string | Buffer> = {};
    if (random.chance(0.1))
      xattrs[`trusted.overlay.${random.pick(markNames)}`] = random.pick(['y', 'x', '', '/a']);
    if (random.chance(0.05)) xattrs['trusted.plain'] = Buffer.from([0, 10, 255, 0]);
    if (takesUserXattrs && random.chance(0.1)) xattrs['user.note'] = random.pick(['', 'a\nb', 'text=1']);
    if (takesUserXattrs && random.chance(0.05)) xattrs['user.overlay.opaque'] = 'y';
    if (takesUserXattrs && mode === 0o644 && random.chance(0.1)) xattrs['security.capability'] = capability;
    return {
      mode: random.chance(0.4) ? random.pick([0o4755, 0o2755, 0o1777, 0o6711, 0, 0o7777]) : mode,
      uid: random.pick(owners),
      gid: random.pick(owners),
      mtime: random.pick(times),
      xattrs,
    };
  }
}
