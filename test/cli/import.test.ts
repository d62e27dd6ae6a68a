import { PassThrough } from 'node:stream';
import t from 'tap';
import type { Digest, ImportOptions } from '../../index.js';
import { refusesWords, runOver } from './support.js';

const imported = [
  { name: 'docker.io/library/a:1', digest: `sha256:${'ab'.repeat(32)}`, layers: 1, size: 2048 },
];
const answers = { import: async () => imported };

t.test('refuses wrong words', (t) =>
  refusesWords(t, [
    ['no source', ['import'], /missing required argument 'source'/],
    ['two names', ['import', 'oci:x', 'a', 'b'], /too many arguments/],
    ['an unknown form', ['import', 'oci:x', '--form', 'squashed'], /Allowed choices are unpacked, packed/],
    ['no jobs at all', ['import', 'oci:x', '--jobs', '0'], /A number from 1 to 9999/],
    ['jobs in words', ['import', 'oci:x', '--jobs', 'two'], /A number from 1 to 9999/],
    ['an option without its value', ['import', 'oci:x', '--platform'], /argument missing/],
    [
      'every platform and one',
      ['import', 'oci:x', '--all', '--platform', 'linux/arm64'],
      /cannot be used with/,
    ],
  ]),
);

t.test('hands the options over', async (t) => {
  const stdin = new PassThrough();
  const words = ['import', 'oci-archive:-', 'a', '--form', 'packed', '--jobs', '3', '--volatile'];
  const { calls, opened } = await runOver(words, { answers, stdin });
  const [, source, name, options] = calls[0] as [string, string, string, ImportOptions];
  t.same([source, name], ['oci-archive:-', 'a']);
  t.match(options, { form: 'packed', jobs: 3 });
  t.match(opened, { durable: false }, '--volatile is of the store');
  t.equal(options.stdin, stdin);
  t.equal(options.all, undefined);
  t.equal(options.onProgress, undefined, 'nobody watches a pipe');
});

t.test('without a name the source’s own is used', async (t) => {
  const { calls, opened } = await runOver(['import', 'docker-archive:x.tar', '--platform', 'linux/arm64'], {
    answers,
  });
  t.match(calls, [['import', 'docker-archive:x.tar', undefined, { platform: 'linux/arm64' }]]);
  t.match(opened, { durable: true });
});

t.test('prints one line an image; names only with --quiet; the list with --json', async (t) => {
  const plain = await runOver(['import', 'oci:x'], { answers });
  t.equal(plain.stdout, 'docker.io/library/a:1  abababababab  1 layer, 2.0 kB\n');
  t.equal((await runOver(['import', 'oci:x', '-q'], { answers })).stdout, 'docker.io/library/a:1\n');
  t.same(JSON.parse((await runOver(['import', 'oci:x', '--json'], { answers })).stdout), imported);
});

t.test('warnings are shown, escaped, even with --quiet', async (t) => {
  const warning = { code: 'socket', subject: 'run/\x07bell', message: 'a socket cannot be kept' };
  const warned = {
    import: async (_source: string, _name: string | undefined, options: ImportOptions) => {
      options.onWarning?.(warning);
      return imported;
    },
  };
  const { stderr, status } = await runOver(['import', 'rootfs:x', 'a', '--quiet'], { answers: warned });
  t.equal(stderr, 'layerfs: warning: socket: run/\\x07bell: a socket cannot be kept\n');
  t.equal(status, 0);
});

t.test('--progress json passes the library’s events on, on standard error', async (t) => {
  const event = {
    kind: 'layer',
    layer: 'sha256:x' as Digest,
    index: 0,
    count: 1,
    state: 'done',
    done: 9,
    total: 9,
  } as const;
  const watched = {
    import: async (_source: string, _name: string | undefined, options: ImportOptions) => {
      options.onProgress?.(event);
      return imported;
    },
  };
  const { stderr, stdout } = await runOver(['import', 'oci:x', '--json', '--progress', 'json'], {
    answers: watched,
  });
  t.same(JSON.parse(stderr), event);
  t.same(JSON.parse(stdout), imported);
});
