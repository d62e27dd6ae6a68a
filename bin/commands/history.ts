import type { Command } from 'commander';
import type { Context } from '../context.js';
import { ago, byteCount, shortDigest, shorten } from '../output.js';

export function define(command: Command, context: Context): void {
  command
    .argument('<name>', 'an image')
    .option('--no-trunc', 'whole digests and commands')
    .action(async (name: string, { trunc }: { trunc: boolean }) => {
      await using store = await context.open();
      // The newest step on top, as docker and podman print it.
      const steps = (await store.history(name)).reverse();
      await context.list(steps, [
        {
          heading: 'LAYER',
          value: (step) => (trunc || step.layer === null ? shortDigest(step.layer) : step.layer),
        },
        { heading: 'CREATED', value: (step) => ago(step.created) },
        {
          heading: 'CREATED BY',
          value: (step) => shorten(step.createdBy ?? '-', trunc ? 45 : Infinity),
        },
        {
          heading: 'SIZE',
          value: (step) => (step.size === null ? '-' : byteCount(step.size)),
          align: 'right',
        },
        { heading: 'COMMENT', value: (step) => step.comment ?? '' },
      ]);
    });
}
