import type { Command } from 'commander';
import type { Context } from '../context.js';
import { byteCount, printable } from '../output.js';

export function define(command: Command, context: Context): void {
  command.argument('<name...>', 'images').action(async (names: string[]) => {
    await using store = await context.open();
    const result = await store.removeImages(names);
    await context.print(result, () => {
      if (context.quiet) return '';
      const removed = result.removed.map((name) => `removed ${printable(name)}\n`).join('');
      return `${removed}freed ${byteCount(result.freed)}\n`;
    });
  });
}
