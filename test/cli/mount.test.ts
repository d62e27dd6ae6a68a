import t from 'tap';
import { refusesWords, runOver } from './support.js';

const snapshot = { snapshot: 'k3j9x', mountpoint: '/mnt', driver: 'overlay' };
const view = { ...snapshot, snapshot: null };
const answers = { mount: async () => snapshot };

t.test('refuses wrong words', (t) =>
  refusesWords(t, [
    ['nothing', ['mount'], /missing required argument/],
    ['no mount point', ['mount', 'debian'], /missing argument 'mountpoint'/],
    ['an empty mount point', ['mount', 'debian', ''], /argument 3 is empty/],
    ['too much', ['mount', 'a', 'b', 'c'], /too many arguments/],
    ['a view of a snapshot', ['mount', 'a', 'b', '--read-only', '--snapshot', 'x'], /choose one/],
    ['--snapshot without its value', ['mount', 'a', 'b', '--snapshot'], /argument missing/],
  ]),
);

const calls: readonly (readonly [name: string, words: readonly string[], call: readonly unknown[]])[] = [
  ['an image', ['debian', '/mnt'], ['debian', '/mnt', {}]],
  ['a view', ['--read-only', 'debian', '/mnt'], ['debian', '/mnt', { readOnly: true }]],
  ['a named snapshot', ['debian', '/mnt', '--snapshot', 'x'], ['debian', '/mnt', { snapshot: 'x' }]],
  ['a snapshot again', ['--snapshot', 'x', '/mnt'], [null, '/mnt', { snapshot: 'x' }]],
  [
    'every flag',
    ['debian', '/mnt', '--volatile', '--nodev', '--nosuid'],
    ['debian', '/mnt', { volatile: true, nodev: true, nosuid: true }],
  ],
];

t.test('makes one call', async (t) => {
  for (const [name, words, call] of calls) {
    const ended = await runOver(['mount', ...words], { answers });
    t.equal(ended.status, 0, name);
    t.equal(ended.calls.length, 1, name);
    t.match(ended.calls[0], ['mount', ...call], name);
  }
});

t.test('--driver is of the store', async (t) => {
  const { opened } = await runOver(['mount', 'debian', '/mnt', '--driver', 'vfs', '--root', '/r'], {
    answers,
  });
  t.match(opened, { driver: 'vfs', root: '/r' });
});

t.test('prints the id of a snapshot, the place of a view', async (t) => {
  const views = { mount: async () => view };
  const printed = async (words: string[], how: object): Promise<string> =>
    (await runOver(['mount', 'debian', '/mnt', ...words], { answers: how })).stdout;
  t.equal(await printed([], answers), 'k3j9x\n');
  t.equal(await printed(['-q'], answers), 'k3j9x\n', 'the id is the result, also of --quiet');
  t.equal(await printed(['--read-only'], views), '/mnt\n');
  t.equal(await printed(['--read-only', '-q'], views), '');
  t.same(JSON.parse(await printed(['--json'], answers)), snapshot);
  t.same(JSON.parse(await printed(['--read-only', '--json'], views)), view);
});

t.test('options of a later version are refused by name', async (t) => {
  for (const words of [
    ['--pull', 'always'],
    ['--context', 'x'],
    ['--uidmap', '0:1:2'],
    ['--gidmap', '0:1:2'],
    ['--fuse-data', 'auto'],
    ['--transport', 'device'],
    ['--foreground'],
    ['--stats'],
  ]) {
    const { status, stderr, opened } = await runOver(['mount', 'debian', '/mnt', ...words]);
    t.equal(status, 1, words.join(' '));
    t.equal(stderr, `layerfs: UNSUPPORTED: "mount ${String(words[0])}" is not in this version yet\n`);
    t.equal(opened, undefined);
  }
});
