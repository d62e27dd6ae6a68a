import type { Command } from 'commander';
import type { Context } from '../context.js';

export function define(command: Command, context: Context): void {
  command
    .argument('<id...>', 'snapshots')
    .option('-f, --force', 'unmount first')
    .action(async (ids: string[], { force }: { force?: true }) => {
      await using store = await context.open();
      await store.removeSnapshots(ids, { force: force === true });
      await context.print({ removed: ids }, () => '');
    });
}
