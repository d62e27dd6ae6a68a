import type { Command } from 'commander';
import type { Context } from '../context.js';
import { ago, byteCount } from '../output.js';

export function define(command: Command, context: Context): void {
  command.action(async () => {
    await using store = await context.open();
    await context.list(await store.snapshots(), [
      { heading: 'ID', value: (snapshot) => snapshot.id },
      { heading: 'IMAGE', value: (snapshot) => snapshot.image ?? '-' },
      { heading: 'DRIVER', value: (snapshot) => snapshot.driver },
      { heading: 'CREATED', value: (snapshot) => ago(snapshot.created) },
      { heading: 'FILES', value: (snapshot) => String(snapshot.inodes), align: 'right' },
      { heading: 'SIZE', value: (snapshot) => byteCount(snapshot.size), align: 'right' },
      { heading: 'MOUNTED AT', value: (snapshot) => snapshot.mountpoints.join(', ') || '-' },
    ]);
  });
}
