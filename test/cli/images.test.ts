import t from 'tap';
import { refusesWords, runOver } from './support.js';

const hex = '0123456789abcdef'.repeat(4);
const images = [
  {
    name: 'docker.io/library/debian:12',
    digest: `sha256:${hex}`,
    size: 48_500_000,
    created: new Date(Date.now() - 3 * 86_400_000).toISOString(),
    layers: 1,
  },
  { name: 'example.com/\x1b[2Jevil', digest: `sha256:${hex}`, size: 999, created: null, layers: 12 },
];
const answers = { images: async () => images };

t.test('refuses wrong words', (t) =>
  refusesWords(t, [
    ['a name', ['images', 'debian'], /too many arguments for 'images'/],
    ['an unknown option', ['images', '--all'], /unknown option '--all'/],
  ]),
);

t.test('a table, with control characters escaped', async (t) => {
  const { status, stdout } = await runOver(['images'], { answers });
  t.equal(status, 0);
  t.same(stdout.split('\n'), [
    'NAME                         DIGEST        CREATED     LAYERS     SIZE',
    'docker.io/library/debian:12  0123456789ab  3 days ago       1  48.5 MB',
    'example.com/\\x1b[2Jevil      0123456789ab  -               12    999 B',
    '',
  ]);
});

t.test('--no-trunc prints whole digests', async (t) => {
  const { stdout } = await runOver(['images', '--no-trunc'], { answers });
  t.match(stdout, `sha256:${hex}`);
});

t.test('--quiet prints names for other programs', async (t) => {
  const { stdout } = await runOver(['--quiet', 'images'], { answers });
  t.equal(stdout, 'docker.io/library/debian:12\nexample.com/\\x1b[2Jevil\n');
});

t.test('--json prints the library’s list, before or after the command', async (t) => {
  for (const words of [
    ['--json', 'images'],
    ['images', '--json'],
  ]) {
    const { stdout } = await runOver(words, { answers });
    t.same(JSON.parse(stdout), images);
  }
});

t.test('an empty store is an empty list', async (t) => {
  const empty = { images: async () => [] };
  t.equal((await runOver(['images', '--json'], { answers: empty })).stdout, '[]\n');
  t.match((await runOver(['images'], { answers: empty })).stdout, /^NAME .*\n$/);
});
