import type { Command } from 'commander';
import type { Context } from '../context.js';

export function define(command: Command, context: Context): void {
  command.argument('<name>', 'an image').action(async (name: string) => {
    if (name.startsWith('docker://')) {
      const { LayerfsError } = await import('../../index.js');
      const instead = `ask the registry with "skopeo inspect ${name}"`;
      throw new LayerfsError('UNSUPPORTED', `"inspect docker://" is not in this version yet; ${instead}`);
    }
    await using store = await context.open();
    const image = await store.inspect(name);
    // JSON either way: the documents are JSON.
    await context.print(image, () => `${JSON.stringify(image, null, 2)}\n`);
  });
}
