/** Platforms (OCI image-spec, image-index.md): what an image runs on, and which of several fits best. */
import { endianness } from 'node:os';
import { LayerfsError } from '../errors.js';
import { asObject, asString, asStrings, optional } from './json.js';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
  readonly 'os.version'?: string | undefined;
  readonly 'os.features'?: readonly string[] | undefined;
}

export function parsePlatformJson(value: unknown, at: string): Platform {
  const json = asObject(value, at);
  return {
    os: asString(json['os'], `${at}.os`),
    architecture: asString(json['architecture'], `${at}.architecture`),
    variant: optional(json, 'variant', at, asString),
    'os.version': optional(json, 'os.version', at, asString),
    'os.features': optional(json, 'os.features', at, asStrings),
  };
}

const component = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/**
 * `linux/arm64/v8` as typed by people, with the names that uname and Node use turned into Go's.
 * @throws LayerfsError REFERENCE_INVALID
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  const [os, architecture, variant] = parts;
  if (
    os === undefined ||
    architecture === undefined ||
    parts.length > 3 ||
    !parts.every((p) => component.test(p))
  ) {
    throw new LayerfsError(
      'REFERENCE_INVALID',
      `not a platform: ${JSON.stringify(text)} (for example linux/amd64 or linux/arm/v7)`,
      { detail: { platform: text } },
    );
  }
  return normalizePlatform({ os, architecture, variant });
}

export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return variant === undefined || variant === ''
    ? `${os}/${architecture}`
    : `${os}/${architecture}/${variant}`;
}

/** The platform of this process. */
export function defaultPlatform(): Platform {
  return normalizePlatform({ os: 'linux', architecture: process.arch, variant: undefined });
}

/** Other names of an architecture: of uname -m and of Node's process.arch. */
const synonyms: Readonly<Record<string, { architecture: string; variant?: string }>> = {
  x64: { architecture: 'amd64' },
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  ia32: { architecture: '386' },
  i386: { architecture: '386' },
  i686: { architecture: '386' },
  aarch64: { architecture: 'arm64' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
  ppc64: { architecture: endianness() === 'LE' ? 'ppc64le' : 'ppc64' },
};

/** The variant that an architecture has where none is named. */
const baseVariant: Readonly<Record<string, string>> = { amd64: 'v1', arm: 'v7', arm64: 'v8' };

/** One spelling for each platform: `arm64/v8` is `arm64`, `amd64/v1` is `amd64`, `arm` is `arm/v7`. */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  const synonym = synonyms[platform.architecture.toLowerCase()];
  const architecture = synonym?.architecture ?? platform.architecture.toLowerCase();
  let variant = (platform.variant ?? '').toLowerCase() || synonym?.variant;
  if (variant !== undefined && /^\d+$/.test(variant)) variant = `v${variant}`;
  if (architecture === 'arm') variant ??= baseVariant['arm'];
  else if (variant === baseVariant[architecture]) variant = undefined;
  return { ...platform, os, architecture, variant };
}

/**
 * How well an image of platform `offered` runs on `wanted`: 0 is exact, more is an older variant of the same
 * architecture, -1 is not at all. arm v7 runs v6 and v5; arm64 v9 runs v8; amd64 v3 runs v2 and v1.
 */
export function platformDistance(wanted: Platform, offered: Platform): number {
  const a = normalizePlatform(wanted);
  const b = normalizePlatform(offered);
  if (a.os !== b.os || a.architecture !== b.architecture) return -1;
  if (a.variant === b.variant) return 0;
  const level = (platform: Platform): number => {
    const match = /^v(\d+)$/.exec(platform.variant ?? baseVariant[platform.architecture] ?? '');
    return match === null ? NaN : Number(match[1]);
  };
  const distance = level(a) - level(b);
  return distance > 0 ? distance : -1;
}
