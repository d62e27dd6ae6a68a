import type { Command } from 'commander';
import type { Context } from '../context.js';
import { ago } from '../output.js';

export function define(command: Command, context: Context): void {
  command.action(async () => {
    await using store = await context.open();
    await context.list(await store.mounts(), [
      { heading: 'MOUNTPOINT', value: (mount) => mount.mountpoint },
      { heading: 'SNAPSHOT', value: (mount) => mount.snapshot ?? '-' },
      { heading: 'IMAGE', value: (mount) => mount.image ?? '-' },
      { heading: 'DRIVER', value: (mount) => mount.driver },
      { heading: 'ACCESS', value: (mount) => (mount.readOnly ? 'read-only' : 'writable') },
      { heading: 'PID', value: (mount) => String(mount.pid), align: 'right' },
      { heading: 'SINCE', value: (mount) => ago(mount.since) },
      { heading: 'NAMESPACE', value: (mount) => (mount.elsewhere ? 'another' : 'this') },
    ]);
  });
}
