/** The documents say what the program does: codes, statuses, commands, options, examples. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import t from 'tap';
import { commandTable, laterCommands } from '../bin/command-table.js';
import { exitStatus, exitStatusOf, signalStatus } from '../bin/exit-codes.js';
import { errorCodes, LayerfsError, type ErrorCode } from '../index.js';
import { runOver } from './cli/support.js';

const root = dirname(createRequire(import.meta.url).resolve('layerfs/package.json'));
const document = (name: string): string => readFileSync(join(root, 'docs', name), 'utf8');

t.test('errors.md has every code with its status and meaning, and no other', async (t) => {
  const rows = document('errors.md').match(/^\| `[A-Z_]+` .*$/gm);
  const expected = (Object.keys(errorCodes) as ErrorCode[]).map(
    (code) => `| \`${code}\` | ${exitStatusOf(new LayerfsError(code, ''))} | ${errorCodes[code]} |`,
  );
  t.same(rows, expected);
});

const cli = document('cli.md');
const sections = new Map(
  cli
    .split(/^### /m)
    .slice(1)
    .map((text) => [/^\S+/.exec(text)?.[0] ?? '', text.split(/^## /m)[0] ?? ''] as const),
);

/** The long options that a help text lists, without those which every command has. */
async function optionsOf(words: readonly string[]): Promise<string[]> {
  const { stdout } = await runOver([...words, '--help']);
  const own = stdout.split('\nGlobal Options:')[0] ?? '';
  return [...own.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map((match) => match[1] ?? '');
}

t.test('cli.md has a section for each command, in the order of --help', async (t) => {
  t.same(
    [...sections.keys()],
    commandTable.map(({ name }) => name),
  );
});

t.test('cli.md names every option', async (t) => {
  for (const option of await optionsOf([])) t.match(cli, `\`${option}`, option);
  for (const { name } of commandTable) {
    for (const option of await optionsOf([name])) {
      if (option !== '--help') t.match(sections.get(name), `\`${option}`, `${name} ${option}`);
    }
  }
});

t.test('cli.md has the exit statuses', async (t) => {
  const table = /^## Exit status\n([^#]*)/m.exec(cli)?.[1] ?? '';
  const documented = [...table.matchAll(/^\| ([\d, ]+) \|/gm)].flatMap((match) =>
    (match[1] ?? '').split(', ').map(Number),
  );
  const statuses = [...Object.values(exitStatus), ...Object.values(signalStatus)];
  t.same(documented.sort(), statuses.sort());
});

t.test('cli.md tells of the commands that are not there yet', async (t) => {
  const later = cli.split('\n## Commands of a later version\n')[1] ?? '';
  for (const name of Object.keys(laterCommands)) t.match(later, `\`${name}\``, name);
});

t.test('every example has a known command and known options', async (t) => {
  const examples = [...cli.matchAll(/^```sh\n([^`]*)```/gm)].flatMap((match) =>
    (match[1] ?? '').trimEnd().split('\n'),
  );
  for (const example of examples) {
    const words =
      (/layerfs (.*)$/.exec(example)?.[1] ?? '')
        .split(/ \||\$\(/)[0]
        ?.trim()
        .split(' ') ?? [];
    const [name = ''] = words;
    t.ok(
      commandTable.some((row) => row.name === name),
      example,
    );
    const known = [...(await optionsOf([])), ...(await optionsOf([name]))];
    for (const word of words.filter((each) => each.startsWith('--')))
      t.ok(known.includes(word), `${example}: ${word}`);
  }
  t.ok(examples.length >= commandTable.length, 'an example for each command');
});
