/** From words to an exit status: parse, load one command, run it, print its error. */
import { createRequire } from 'node:module';
import { Command, CommanderError, Option } from 'commander';
import { commandTable, laterCommands } from './command-table.js';
import { Context, ReaderLeft, type Environment, type GlobalOptions } from './context.js';
import { exitStatus, exitStatusOf, isLayerfsError, usageCode } from './exit-codes.js';
import { printable } from './output.js';
import { progressModes } from './progress.js';

/** Runs one command line, given without the program's name. Never rejects; what went wrong is on `stderr`. */
export async function run(words: readonly string[], environment: Environment): Promise<number> {
  let help = 'layerfs --help';
  const program = createProgram(environment, (name) => {
    help = `layerfs ${name} --help`;
  });
  try {
    refuseEmpty(program, words);
    await program.parseAsync(words[0] === 'help' ? [...words.slice(1), '--help'] : words, { from: 'user' });
    return exitStatus.done;
  } catch (error) {
    if (error instanceof CommanderError) return usage(error, help, environment);
    const left = environment.signal.reason instanceof ReaderLeft;
    if (!left) environment.stderr.write(`layerfs: ${describe(error)}\n`);
    return exitStatusOf(error);
  }
}

const examples = `
Examples:
  layerfs import oci:./images:12 debian:12    bring in what skopeo or buildah has written
  layerfs mount debian:12 /mnt                a writable copy; prints the snapshot's id
  layerfs demo                                see it work
`;

function createProgram(environment: Environment, onCommand: (name: string) => void): Command {
  const { version } = createRequire(import.meta.url)('layerfs/package.json') as { version: string };
  const program = new Command('layerfs')
    .description('OCI images, mounted: layers below, your changes on top')
    .version(version)
    .usage('[options] COMMAND …')
    .helpCommand(false)
    .option('--root <directory>', 'the store ($LAYERFS_ROOT; /var/lib/layerfs for root)')
    .option('--driver <name>', 'storage driver: auto, overlay or vfs', 'auto')
    .option('--json', 'print one JSON value')
    .addOption(new Option('--progress <mode>', 'on standard error').choices(progressModes).default('auto'))
    .option('-q, --quiet', 'no progress; of a list, the first column only')
    .addHelpText('after', examples)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => environment.stdout.write(text),
      writeErr: (text) => environment.stderr.write(text),
      outputError: () => undefined, // run() prints it, in the form of every other error
    });
  for (const { name, alias, summary } of commandTable) {
    const command = program.command(name).description(summary);
    if (alias !== undefined) command.alias(alias);
  }
  for (const name of Object.keys(laterCommands)) program.command(name, { hidden: true });
  program.hook('preSubcommand', async (_, command) => {
    onCommand(command.name());
    const row = commandTable.find((candidate) => candidate.name === command.name());
    const module = await (row === undefined ? import('./commands/later.js') : row.load());
    module.define(command, new Context(environment, program.opts<GlobalOptions>()));
  });
  return program;
}

/** An unset shell variable must not become the current directory. */
function refuseEmpty(program: Command, words: readonly string[]): void {
  const at = words.findIndex((word) => word === '' || /^--[a-z-]+=$/.test(word));
  if (at >= 0) program.error(`argument ${at + 1} is empty: ${words[at] === '' ? "''" : String(words[at])}`);
}

/** commander's own errors. Help and version end here as well, with status 0. */
function usage(error: CommanderError, help: string, environment: Environment): number {
  if (error.exitCode === 0) return exitStatus.done;
  // Without a command, commander has printed the help already.
  if (error.code !== 'commander.help') {
    const text = error.message.replace(/^error: /, '');
    environment.stderr.write(`layerfs: ${usageCode}: ${text}\nTry '${help}'.\n`);
  }
  return exitStatus.usage;
}

function describe(error: unknown): string {
  if (isLayerfsError(error)) return `${error.code}: ${printable(error.message)}`;
  if (!(error instanceof Error)) return `unexpected error: ${printable(String(error))}`;
  if (error.name === 'AbortError') return 'ABORTED: interrupted';
  if ('syscall' in error) return `FILESYSTEM: ${printable(error.message)}`;
  return `unexpected error, please report it:\n${error.stack ?? error.message}`;
}
