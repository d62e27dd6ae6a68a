/** Digests (OCI image-spec, descriptor.md): parse, compute, chain. */
import { createHash, type Hash } from 'node:crypto';
import { LayerfsError } from './errors.js';

declare const digestBrand: unique symbol;

/** `algorithm:hex`, checked by grammar: safe to become a path component once split. */
export type Digest = string & { readonly [digestBrand]: true };

const hexLength: Readonly<Record<string, number>> = { sha256: 64, sha512: 128 };

export function isDigest(text: unknown): text is Digest {
  if (typeof text !== 'string') return false;
  const match = /^(sha256|sha512):([0-9a-f]+)$/.exec(text);
  return match !== null && match[2]?.length === hexLength[match[1] ?? ''];
}

/** @throws LayerfsError DIGEST_INVALID */
export function parseDigest(text: unknown): Digest {
  if (isDigest(text)) return text;
  throw new LayerfsError(
    'DIGEST_INVALID',
    `not a digest: ${JSON.stringify(text)} (for example sha256: and 64 lower-case hex digits; sha256 and sha512 are supported)`,
    { detail: { digest: text } },
  );
}

export function algorithmOf(digest: Digest): 'sha256' | 'sha512' {
  return digest.slice(0, 6) as 'sha256' | 'sha512';
}

export function hexOf(digest: Digest): string {
  return digest.slice(7);
}

export function hasher(algorithm: 'sha256' | 'sha512' = 'sha256'): Hash {
  return createHash(algorithm);
}

export function digestOf(data: Uint8Array | string, algorithm: 'sha256' | 'sha512' = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(data).digest('hex')}` as Digest;
}

/** The diffID of the layer with nothing in it: 1024 zero bytes. */
export const emptyLayerDiffId =
  'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef' as Digest;

/**
 * The chainIDs of a stack, bottom first: `ChainID(L0) = DiffID(L0)`,
 * `ChainID(n) = sha256(ChainID(n-1) + " " + DiffID(n))` (OCI image-spec, config.md).
 */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : digestOf(`${below} ${diffId}`));
  }
  return chain;
}
