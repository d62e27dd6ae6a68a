import type { Command } from 'commander';
import { laterCommands } from '../command-table.js';

/** A command that is planned: whatever its words are, it says that it is not there yet, and what to do instead. */
export function define(command: Command): void {
  const name = command.name();
  command
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async () => {
      const { LayerfsError } = await import('../../index.js');
      const instead = laterCommands[name] ?? '';
      throw new LayerfsError('UNSUPPORTED', `"${name}" is not in this version yet; ${instead}`);
    });
}
