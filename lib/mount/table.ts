/** The mount tables that the kernel shows in /proc (proc_pid_mountinfo(5)), and whose they are. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import type { Bytes } from '../bytes.js';
import { codeOf } from '../errors.js';

export interface MountTableEntry {
  /** Used again after an unmount; statmount(2) has ids that are not. */
  readonly id: number;
  readonly parent: number;
  readonly major: number;
  readonly minor: number;
  /** The directory of the file system that is mounted. */
  readonly root: Bytes;
  /** Relative to the process' root directory; `//deleted` follows the name of a directory that is gone. */
  readonly mountPoint: Bytes;
  /** Of this mount: `rw`, `relatime`. */
  readonly options: readonly Bytes[];
  /** Propagation: `shared:12`, `master:3`. */
  readonly optionalFields: readonly Bytes[];
  readonly type: Bytes;
  readonly source: Bytes;
  /** Of the file system: `lowerdir+=/a`. Escaped twice where the file system escapes paths by itself. */
  readonly superOptions: readonly Bytes[];
}

/** A field as it was before the kernel wrote spaces, tabs, newlines and backslashes as three octal digits. */
function unescape(field: string): Bytes {
  if (!field.includes('\\')) return field as Bytes;
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => {
    return String.fromCharCode(Number.parseInt(digits, 8));
  }) as Bytes;
}

const options = (field: string): Bytes[] => field.split(',').map(unescape);

const line = /^(\d+) (\d+) (\d+):(\d+) (\S+) (\S+) (\S+)((?: \S+)*?) - (\S+) (\S*) (.*)$/;

/**
 * The entries of a mountinfo file, in its order: a mount comes after the one it covers.
 * @throws TypeError for a line the kernel would not write
 */
export function parseMountTable(text: Bytes): MountTableEntry[] {
  const entries: MountTableEntry[] = [];
  for (const row of text.split('\n')) {
    if (row === '') continue;
    const match = line.exec(row);
    if (match === null) throw new TypeError(`not a line of mountinfo: ${JSON.stringify(row)}`);
    const field = (index: number): string => match[index] ?? '';
    entries.push({
      id: Number(field(1)),
      parent: Number(field(2)),
      major: Number(field(3)),
      minor: Number(field(4)),
      root: unescape(field(5)),
      mountPoint: unescape(field(6)),
      options: options(field(7)),
      optionalFields: field(8).split(' ').slice(1) as Bytes[],
      type: unescape(field(9)),
      source: unescape(field(10)),
      superOptions: options(field(11)),
    });
  }
  return entries;
}

/** The mount table that a process (or thread) sees now. @throws system error ENOENT or ESRCH when it is gone */
export function readMountTable(pid: number | 'self' | 'thread-self' = 'self'): MountTableEntry[] {
  return parseMountTable(readFileSync(`/proc/${pid}/mountinfo`, 'latin1') as Bytes);
}

export interface MountNamespaces {
  /** The inode number of each mount namespace, and one thread that is in it. */
  readonly threads: ReadonlyMap<number, number>;
  /** False where the namespace of some thread could not be read for lack of privilege. */
  readonly complete: boolean;
}

const gone = new Set(['ENOENT', 'ESRCH']);
const forbidden = new Set(['EACCES', 'EPERM']);

/**
 * The mount namespaces that have a thread in this PID namespace. Threads that end meanwhile are passed over. A namespace
 * kept alive by nothing but an fd or a bind mount of its /proc file is not among them.
 */
export function mountNamespaces(): MountNamespaces {
  const threads = new Map<number, number>();
  let complete = true;
  const attempt = <T>(read: () => T, otherwise: T): T => {
    try {
      return read();
    } catch (error) {
      const code = codeOf(error) ?? '';
      if (forbidden.has(code)) complete = false;
      else if (!gone.has(code)) throw error;
      return otherwise;
    }
  };
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    for (const thread of attempt(() => readdirSync(`/proc/${pid}/task`), [])) {
      const link = attempt(() => readlinkSync(`/proc/${pid}/task/${thread}/ns/mnt`), undefined);
      const inode = Number(link?.slice('mnt:['.length, -1));
      if (link !== undefined && !threads.has(inode)) threads.set(inode, Number(thread));
    }
  }
  return { threads, complete };
}
