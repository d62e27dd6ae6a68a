import t from 'tap';
import { commandTable, laterCommands } from '../../bin/command-table.js';
import { ReaderLeft } from '../../bin/context.js';
import { exitStatusOf, usageErrorCodes } from '../../bin/exit-codes.js';
import { errorCodes, LayerfsError, type ErrorCode } from '../../index.js';
import { refusesWords, runOver } from './support.js';

t.test('refuses wrong words', (t) =>
  refusesWords(t, [
    ['an unknown command', ['pulll'], /unknown command 'pulll'/],
    ['a misspelt command', ['imags'], /Did you mean images\?/],
    ['an unknown option', ['--verbose', 'images'], /unknown option '--verbose'/],
    [
      'an unknown way of progress',
      ['--progress', 'loud', 'images'],
      /Allowed choices are auto, plain, json, none/,
    ],
    ['--root without its value', ['images', '--root'], /argument missing/],
    ['an empty --root', ['--root', '', 'images'], /argument 2 is empty/],
    ['an empty --root=', ['--root=', 'images'], /argument 1 is empty/],
  ]),
);

t.test('says whose help to read', async (t) => {
  t.match((await runOver(['tag'])).stderr, "Try 'layerfs tag --help'.");
  t.match((await runOver(['tagg'])).stderr, "Try 'layerfs --help'.");
});

t.test('without a command: the help, on standard error, as wrong words', async (t) => {
  const { status, stdout, stderr } = await runOver([]);
  t.same({ status, stdout }, { status: 2, stdout: '' });
  t.match(stderr, /^Usage: layerfs/);
});

t.test('--help lists what works and nothing else', async (t) => {
  for (const words of [['--help'], ['help']]) {
    const { status, stdout } = await runOver(words);
    t.equal(status, 0);
    for (const { name } of commandTable) t.match(stdout, new RegExp(`^  ${name}\\b`, 'm'), name);
    for (const name of Object.keys(laterCommands)) t.notMatch(stdout, new RegExp(`^  ${name}\\b`, 'm'), name);
  }
});

t.test('every command has a help of its own, either way, and opens nothing for it', async (t) => {
  for (const { name } of commandTable) {
    const asked = await runOver(['help', name]);
    t.match(asked.stdout, new RegExp(`^Usage: layerfs ${name}`), name);
    t.same(await runOver([name, '--help']), asked, name);
    t.same({ status: asked.status, opened: asked.opened }, { status: 0, opened: undefined }, name);
  }
});

t.test('commands of a later version say so, whatever their words', async (t) => {
  for (const name of Object.keys(laterCommands)) {
    for (const words of [[name], [name, 'x', '--tls-verify=false'], [name, '--help'], ['help', name]]) {
      const { status, stdout, stderr, opened } = await runOver(words);
      t.same({ status, stdout, opened }, { status: 1, stdout: '', opened: undefined }, words.join(' '));
      t.match(stderr, `layerfs: UNSUPPORTED: "${name}" is not in this version yet; `);
    }
  }
});

t.test('the store is opened as the global options say', async (t) => {
  const answers = { images: async () => [] };
  t.match((await runOver(['images'], { answers })).opened, { driver: 'auto', root: undefined });
  t.match((await runOver(['--root', '/r', 'images', '--driver', 'vfs'], { answers })).opened, {
    driver: 'vfs',
    root: '/r',
  });
});

function failing(error: unknown): { images: () => Promise<never> } {
  return {
    images: async () => {
      throw error;
    },
  };
}

t.test('an error of the library: its code, its message, and the store is closed', async (t) => {
  for (const [code, status] of [
    ['IMAGE_NOT_FOUND', 1],
    ['REFERENCE_INVALID', 2],
    ['DRIVER_UNKNOWN', 2],
  ] as const) {
    const ended = await runOver(['images'], { answers: failing(new LayerfsError(code, 'no \x1b[31m luck')) });
    t.equal(ended.stderr, `layerfs: ${code}: no \\x1b[31m luck\n`);
    t.same({ status: ended.status, closed: ended.closed }, { status, closed: 1 });
  }
});

t.test('errors that no one foresaw', async (t) => {
  const bug = await runOver(['images'], { answers: failing(new RangeError('off by one')) });
  t.match(bug.stderr, /^layerfs: unexpected error, please report it:\nRangeError: off by one\n +at /);
  t.equal(bug.status, 1);
  const system = Object.assign(new Error('ENOENT: no such file, open x'), {
    code: 'ENOENT',
    syscall: 'open',
  });
  t.equal(
    (await runOver(['images'], { answers: failing(system) })).stderr,
    `layerfs: FILESYSTEM: ${system.message}\n`,
  );
  t.equal(
    (await runOver(['images'], { answers: failing('text') })).stderr,
    'layerfs: unexpected error: text\n',
  );
});

t.test('a signal that was aborted before there was anything to print', async (t) => {
  const answers = { images: async () => [] };
  const { status, stdout, stderr } = await runOver(['images'], { answers, signal: AbortSignal.abort() });
  t.same({ status, stdout, stderr }, { status: 1, stdout: '', stderr: 'layerfs: ABORTED: interrupted\n' });
});

t.test('a reader who has left is told nothing', async (t) => {
  const answers = { images: async () => [] };
  const { status, stderr } = await runOver(['images'], {
    answers,
    signal: AbortSignal.abort(new ReaderLeft()),
  });
  t.same({ status, stderr }, { status: 1, stderr: '' });
});

t.test('every code has a status', async (t) => {
  for (const code of Object.keys(errorCodes) as ErrorCode[]) {
    t.equal(exitStatusOf(new LayerfsError(code, '')), usageErrorCodes.includes(code) ? 2 : 1, code);
  }
});
