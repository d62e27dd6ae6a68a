import type { Command } from 'commander';
import type { Context } from '../context.js';
import { byteCount, fields, shortDigest, table } from '../output.js';

export function define(command: Command, context: Context): void {
  command.action(async () => {
    await using store = await context.open();
    const usage = await store.usage();
    await context.print(usage, () => {
      const layers = table(usage.layers, [
        { heading: 'LAYER', value: (layer) => shortDigest(layer.diffId) },
        { heading: 'SIZE', value: (layer) => byteCount(layer.size), align: 'right' },
        { heading: 'IMAGES', value: (layer) => layer.images.join(', ') || '-' },
      ]);
      const snapshots = table(usage.snapshots, [
        { heading: 'SNAPSHOT', value: (snapshot) => snapshot.id },
        { heading: 'SIZE', value: (snapshot) => byteCount(snapshot.size), align: 'right' },
      ]);
      const sum = (sizes: readonly { size: number }[]): string =>
        byteCount(sizes.reduce((total, { size }) => total + size, 0));
      const totals = fields([
        ['blobs', byteCount(usage.content)],
        ['layers', sum(usage.layers)],
        ['snapshots', sum(usage.snapshots)],
        ['total', byteCount(usage.total)],
      ]);
      return context.quiet ? totals : `${layers}\n${snapshots}\n${totals}`;
    });
  });
}
