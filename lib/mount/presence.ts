/** Whether a mount of ours is still somewhere, in whatever mount namespace. */
import { statSync } from 'node:fs';
import { codeOf } from '../errors.js';
import { SystemError, mountNamespaceId, statmount } from '../sys/index.js';
import { mountNamespaces, readMountTable, type MountTableEntry } from './table.js';

/** What tells one mount from all others. */
export interface MountTrace {
  /** The kernel's unique id, decimal (Linux 6.8). */
  readonly mountId: string;
  /** Id of the namespace it was made in, decimal; null where the kernel does not tell (before Linux 6.11). */
  readonly namespaceId: string | null;
  /** Part of its source, or the end of the path of its root. */
  readonly trace: string;
}

/** `elsewhere`: not in this process's mount namespace, but in another. */
export type Presence = 'here' | 'elsewhere' | 'gone';

/**
 * Asks for the mount itself, then searches the tables of all namespaces that processes are in for copies of it: a
 * namespace made from another starts with copies of all its mounts.
 */
export function presenceOf({ mountId, namespaceId, trace }: MountTrace): Presence {
  const own = mountNamespaceId()?.toString();
  if (isMounted(BigInt(mountId), namespaceId === null ? undefined : BigInt(namespaceId), trace)) {
    return namespaceId === null || namespaceId === own ? 'here' : 'elsewhere';
  }
  // A table that has just been asked by id is not searched by trace: another mount may have the same root.
  const asked = namespaceId === own ? statSync('/proc/thread-self/ns/mnt').ino : undefined;
  for (const [namespace, thread] of mountNamespaces().threads) {
    if (namespace !== asked && tableOf(thread).some((entry) => matches(entry, trace))) return 'elsewhere';
  }
  return 'gone';
}

/** Nothing for a thread that has ended meanwhile. */
function tableOf(thread: number): MountTableEntry[] {
  try {
    return readMountTable(thread);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EINVAL') return [];
    throw error;
  }
}

function isMounted(mountId: bigint, namespaceId: bigint | undefined, trace: string): boolean {
  try {
    return statmount(mountId, namespaceId) !== undefined;
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'ENOSYS') throw error;
    return readMountTable().some((entry) => matches(entry, trace));
  }
}

function matches({ source, root }: MountTableEntry, trace: string): boolean {
  return source.includes(trace) || root.endsWith(trace);
}
