import t from 'tap';
import type { Bytes, ListEntry } from '../../index.js';
import { longLine, modeText } from '../../bin/listing.js';
import { refusesWords, runOver } from './support.js';

const raw = (text: string): Bytes => text as Bytes;
const base: ListEntry = {
  path: raw('etc/motd'),
  name: raw('motd'),
  kind: 'file',
  mode: 0o644,
  uid: 0,
  gid: 42,
  size: 120,
  mtime: 1_704_164_645_678_901_234n,
  layer: 1,
};
const entries: ListEntry[] = [
  base,
  { ...base, path: raw('etc/\xff\xfe'), name: raw('\xff\xfe'), size: 0 },
  { ...base, path: raw('etc/link'), name: raw('link'), kind: 'symlink', mode: 0o777, target: raw('motd') },
  { ...base, path: raw('etc/null'), name: raw('null'), kind: 'char', mode: 0o666, major: 1, minor: 3 },
];

function listing(list: readonly ListEntry[]): { ls: () => AsyncIterable<ListEntry> } {
  return {
    async *ls() {
      yield* list;
    },
  };
}

t.test('refuses wrong words', (t) =>
  refusesWords(t, [
    ['no name', ['ls'], /missing required argument/],
    ['two names', ['ls', 'a', 'b'], /too many arguments/],
    ['an unknown option', ['ls', '-a', 'x'], /unknown option '-a'/],
  ]),
);

t.test('name and path are told apart by the slash', async (t) => {
  for (const [what, name, path] of [
    ['debian', 'debian', '/'],
    ['debian:12', 'debian:12', '/'],
    ['debian:12:/etc', 'debian:12', '/etc'],
    ['debian:/etc/a:/b', 'debian', '/etc/a:/b'],
    ['localhost:5000/debian', 'localhost:5000/debian', '/'],
    ['localhost:5000/debian:12:/', 'localhost:5000/debian:12', '/'],
  ] as const) {
    const { calls } = await runOver(['ls', what], { answers: listing([]) });
    t.same(calls, [['ls', name, path, { recursive: false }]], what);
  }
});

t.test('names, escaped', async (t) => {
  const { stdout } = await runOver(['ls', 'a:/etc'], { answers: listing(entries) });
  t.equal(stdout, 'motd\n\\xff\\xfe\nlink\nnull\n');
});

t.test('-R prints paths', async (t) => {
  const { stdout, calls } = await runOver(['ls', '-R', 'a'], { answers: listing(entries) });
  t.equal(stdout, 'etc/motd\netc/\\xff\\xfe\netc/link\netc/null\n');
  t.same(calls, [['ls', 'a', '/', { recursive: true }]]);
});

t.test('-l prints a line as ls(1) does', async (t) => {
  const { stdout } = await runOver(['ls', '-l', 'a:/etc'], { answers: listing(entries) });
  t.same(stdout.split('\n'), [
    '-rw-r--r--      0     42          120 2024-01-02 03:04:05 motd',
    '-rw-r--r--      0     42            0 2024-01-02 03:04:05 \\xff\\xfe',
    'lrwxrwxrwx      0     42          120 2024-01-02 03:04:05 link -> motd',
    'crw-rw-rw-      0     42         1, 3 2024-01-02 03:04:05 null',
    '',
  ]);
});

t.test('--json: a path that is not UTF-8 comes in base64', async (t) => {
  const { stdout } = await runOver(['ls', 'a:/etc', '--json'], { answers: listing(entries) });
  const common = {
    mode: '0644',
    uid: 0,
    gid: 42,
    size: 120,
    mtime: '2024-01-02T03:04:05.678901234Z',
    layer: 1,
  };
  t.same(JSON.parse(stdout), [
    { path: 'etc/motd', kind: 'file', ...common },
    { pathBase64: Buffer.from('6574632ffffe', 'hex').toString('base64'), kind: 'file', ...common, size: 0 },
    { path: 'etc/link', kind: 'symlink', ...common, mode: '0777', target: 'motd' },
    { path: 'etc/null', kind: 'char', ...common, mode: '0666', major: 1, minor: 3 },
  ]);
});

t.test('--json of an empty directory is an empty array', async (t) => {
  t.same(JSON.parse((await runOver(['ls', 'a', '--json'], { answers: listing([]) })).stdout), []);
});

t.test('modes as stat(1) prints them', async (t) => {
  for (const [kind, mode, text] of [
    ['directory', 0o1777, 'drwxrwxrwt'],
    ['directory', 0o1776, 'drwxrwxrwT'],
    ['file', 0o4755, '-rwsr-xr-x'],
    ['file', 0o6644, '-rwSr-Sr--'],
    ['file', 0o2755, '-rwxr-sr-x'],
    ['block', 0o660, 'brw-rw----'],
    ['fifo', 0, 'p---------'],
  ] as const) {
    t.equal(modeText(kind, mode), text);
  }
});

t.test('a time before 1970 keeps its second', async (t) => {
  t.match(longLine({ ...base, mtime: -1n }, 'x'), '1969-12-31 23:59:59 x');
});
