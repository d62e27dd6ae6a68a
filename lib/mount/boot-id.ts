/** Which run of the kernel this is: mounts, and what was never synced, do not outlive it. */
import { readFile } from 'node:fs/promises';

let boot: string | undefined;

export async function bootId(): Promise<string> {
  boot ??= (await readFile('/proc/sys/kernel/random/boot_id', 'latin1')).trim();
  return boot;
}
