import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Context } from '../context.js';

interface Options {
  all?: true;
  lazy?: true;
}

export function define(command: Command, context: Context): void {
  command
    .argument('[mountpoint|id]', 'where it is mounted (a path has a slash: ./mnt), or the snapshot that is')
    .option('--all', 'everything of this store')
    .option('--lazy', 'at once, though files in it are open: they stay until they are closed')
    .action(async (target: string | undefined, { all, lazy }: Options) => {
      if ((target === undefined) === (all === undefined)) {
        command.error("give either a 'mountpoint', an 'id' or --all");
      }
      await using store = await context.open();
      const options = { lazy: lazy === true };
      const unmounted =
        target === undefined
          ? await store.unmountAll(options)
          : await store.unmount(target.includes('/') ? resolve(target) : target, options);
      await context.print(unmounted, () => '');
    });
}
