/** Directories with an entry for each chainID. */
import { readdir } from 'node:fs/promises';
import { join, parse } from 'node:path';
import type { HostPath } from '../bytes.js';
import { hexOf, type Digest } from '../digest.js';
import { codeOf } from '../errors.js';

/** Name of the entry for a stack without layers. */
export const noChain = 'none';

export function chainName(chainId: Digest | null): string {
  return chainId === null ? noChain : hexOf(chainId);
}

/** The entries of a directory that belong to other chains than these; none where there is no such directory. */
export async function obsoleteChains(directory: HostPath, wanted: ReadonlySet<Digest>): Promise<HostPath[]> {
  const kept = new Set([noChain, ...[...wanted].map(hexOf)]);
  try {
    const names = await readdir(directory);
    return names.filter((name) => !kept.has(parse(name).name)).map((name) => join(directory, name));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
