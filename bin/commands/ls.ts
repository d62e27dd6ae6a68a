import type { Command } from 'commander';
import type { ListEntry } from '../../index.js';
import { display } from '../../index.js';
import type { Context } from '../context.js';
import { entryJson, longLine } from '../listing.js';

interface Options {
  long?: true;
  recursive?: boolean;
}

export function define(command: Command, context: Context): void {
  command
    .argument('<name[:path]>', 'an image, and a path in it that begins with /')
    .option('-l, --long', 'mode, owner, size and time as well')
    .option('-R, --recursive', 'everything below, as paths')
    .action(async (what: string, { long, recursive = false }: Options) => {
      const [name, path] = splitPath(what);
      await using store = await context.open();
      const entries = store.ls(name, path, { recursive });
      if (context.json) {
        await printJson(context, entries);
        return;
      }
      for await (const entry of entries) {
        const shown = display(recursive ? entry.path : entry.name);
        await context.write(`${long === true ? longLine(entry, shown) : shown}\n`);
      }
    });
}

/** `debian:12:/etc` is the path /etc of debian:12: neither a tag nor a port begins with a slash. */
function splitPath(what: string): [name: string, path: string] {
  const at = what.indexOf(':/');
  return at < 0 ? [what, '/'] : [what.slice(0, at), what.slice(at + 1)];
}

/** One array, entry by entry: a large image is never a list in memory. */
async function printJson(context: Context, entries: AsyncIterable<ListEntry>): Promise<void> {
  let separator = '[\n';
  for await (const entry of entries) {
    await context.write(separator + JSON.stringify(entryJson(entry)));
    separator = ',\n';
  }
  await context.write(separator === '[\n' ? '[]\n' : '\n]\n');
}
