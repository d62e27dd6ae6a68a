import { Option, type Command } from 'commander';
import type { Context } from '../context.js';
import { printable } from '../output.js';

interface Options {
  readOnly?: true;
  snapshot?: string;
  volatile?: true;
  nodev?: true;
  nosuid?: true;
}

/** Options of a later version: known, so that they are refused by name. */
const laterOptions = [
  '--pull <policy>',
  '--context <label>',
  '--uidmap <map>',
  '--gidmap <map>',
  '--fuse-data <mode>',
  '--transport <name>',
  '--foreground',
  '--stats',
];

export function define(command: Command, context: Context): void {
  command
    .usage('[options] NAME MOUNTPOINT\n       layerfs mount [options] --snapshot ID MOUNTPOINT')
    .argument('<name>', 'an image; left out where --snapshot names a snapshot that exists')
    .argument('[mountpoint]', 'an empty directory')
    .option('--read-only', 'a view of the image: nothing can be written')
    .option('--snapshot <id>', 'mount this snapshot again, or call a new one so')
    .option('--volatile', 'never wait for the disk; a loss of power may lose what was written')
    .option('--nodev', 'device nodes do not work')
    .option('--nosuid', 'setuid and setgid bits do not work');
  for (const flags of laterOptions) command.addOption(new Option(flags).hideHelp());
  command.action(async (first: string, second: string | undefined, options: Options) => {
    await refuseLater(options);
    if (second === undefined && options.snapshot === undefined) {
      command.error("missing argument 'mountpoint' (NAME may be left out with --snapshot only)");
    }
    if (options.readOnly === true && options.snapshot !== undefined) {
      command.error('--read-only shows the image, --snapshot what was written on top of it: choose one');
    }
    const [name, mountpoint] = second === undefined ? [null, first] : [first, second];
    await using store = await context.open();
    const mounted = await store.mount(name, mountpoint, { ...options, signal: context.signal });
    await context.print(mounted, () => {
      if (mounted.snapshot !== null) return `${mounted.snapshot}\n`;
      return context.quiet ? '' : `${printable(mounted.mountpoint)}\n`;
    });
  });
}

async function refuseLater(options: Options): Promise<void> {
  const known = new Set(laterOptions.map((flags) => new Option(flags).attributeName()));
  const given = Object.keys(options).find((key) => known.has(key));
  if (given === undefined) return;
  const { LayerfsError } = await import('../../index.js');
  const flag = given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new LayerfsError('UNSUPPORTED', `"mount --${flag}" is not in this version yet`);
}
