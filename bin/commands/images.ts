import type { Command } from 'commander';
import type { Context } from '../context.js';
import { ago, byteCount, shortDigest } from '../output.js';

export function define(command: Command, context: Context): void {
  command.option('--no-trunc', 'whole digests').action(async ({ trunc }: { trunc: boolean }) => {
    await using store = await context.open();
    await context.list(await store.images(), [
      { heading: 'NAME', value: (image) => image.name },
      { heading: 'DIGEST', value: (image) => (trunc ? shortDigest(image.digest) : image.digest) },
      { heading: 'CREATED', value: (image) => ago(image.created) },
      { heading: 'LAYERS', value: (image) => String(image.layers), align: 'right' },
      { heading: 'SIZE', value: (image) => byteCount(image.size), align: 'right' },
    ]);
  });
}
