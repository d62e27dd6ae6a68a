import type { Command } from 'commander';
import type { Context } from '../context.js';

export function define(command: Command, context: Context): void {
  command
    .argument('<name>', 'an image')
    .argument('<new>', 'another name for it; what had that name loses it')
    .action(async (name: string, newName: string) => {
      await using store = await context.open();
      await store.tag(name, newName);
      await context.print({ name, new: newName }, () => '');
    });
}
