import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Context } from '../context.js';
import { byteCount, printable, shortDigest } from '../output.js';

interface Options {
  form: 'unpacked' | 'packed';
  all?: true;
  jobs?: number;
  platform?: string;
  volatile?: true;
}

export function define(command: Command, context: Context): void {
  command
    .argument(
      '<source>',
      'oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME:TAG] or rootfs:PATH; FILE - is standard input',
    )
    .argument('[name]', 'the name it gets; rootfs: needs one')
    .addOption(
      new Option('--form <form>', 'how layers are kept').choices(['unpacked', 'packed']).default('unpacked'),
    )
    .addOption(new Option('--all', 'every platform').conflicts('platform'))
    .option('--platform <os/arch[/variant]>', "another platform than this machine's")
    .option('--jobs <n>', 'layers at once', positive)
    .option('--volatile', 'do not wait for the disk; a loss of power may lose the import')
    .action(async (source: string, name: string | undefined, { volatile, ...options }: Options) => {
      await using store = await context.open({ durable: volatile !== true });
      const { stdin } = context.environment;
      const { signal, warn: onWarning } = context;
      const images = await context.watch((onProgress) =>
        store.import(source, name, { ...options, stdin, onProgress, onWarning, signal }),
      );
      await context.print(images, () =>
        images
          .map((image) => {
            if (context.quiet) return `${printable(image.name)}\n`;
            const layers = `${image.layers} ${image.layers === 1 ? 'layer' : 'layers'}`;
            return `${printable(image.name)}  ${shortDigest(image.digest)}  ${layers}, ${byteCount(image.size)}\n`;
          })
          .join(''),
      );
    });
}

function positive(text: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(text)) throw new InvalidArgumentError('A number from 1 to 9999.');
  return Number(text);
}
