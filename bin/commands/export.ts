import type { Command } from 'commander';
import type { Context } from '../context.js';
import { printable } from '../output.js';

export function define(command: Command, context: Context): void {
  command
    .argument('<name>', 'an image')
    .argument(
      '<target>',
      'oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME:TAG], rootfs:DIR or rootfs:FILE.tar; FILE - is standard output',
    )
    .action(async (name: string, target: string) => {
      const toStandardOutput = /^[a-z-]+:-(:|$)/.test(target);
      if (toStandardOutput && context.environment.stdout.isTTY === true) {
        command.error('an archive is not for the terminal: redirect standard output');
      }
      await using store = await context.open();
      const { stdout } = context.environment;
      const result = await store.export(name, target, { stdout, signal: context.signal });
      if (toStandardOutput) return;
      await context.print(result, () => (context.quiet ? '' : `${printable(result.target)}\n`));
    });
}
