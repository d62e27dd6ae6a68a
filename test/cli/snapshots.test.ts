import t from 'tap';
import { refusesWords, runOver } from './support.js';

const snapshots = [
  {
    id: 'k3j9x',
    image: 'docker.io/library/debian:12',
    digest: `sha256:${'ab'.repeat(32)}`,
    driver: 'overlay',
    form: 'upper',
    created: new Date(Date.now() - 61_000).toISOString(),
    mountpoints: ['/a', '/b'],
    size: 4096,
    inodes: 7,
  },
  {
    id: 'old',
    image: null,
    digest: null,
    driver: 'vfs',
    form: 'copy',
    created: '',
    mountpoints: [],
    size: 0,
    inodes: 0,
  },
];
const answers = { snapshots: async () => snapshots };

t.test('refuses wrong words', (t) =>
  refusesWords(t, [['an argument', ['snapshots', 'x'], /too many arguments/]]),
);

t.test('what is kept, and where it is mounted', async (t) => {
  const { stdout } = await runOver(['snapshots'], { answers });
  t.same(
    stdout.split('\n').map((line) => line.split(/ {2,}/)),
    [
      ['ID', 'IMAGE', 'DRIVER', 'CREATED', 'FILES', 'SIZE', 'MOUNTED AT'],
      ['k3j9x', 'docker.io/library/debian:12', 'overlay', '1 minute ago', '7', '4.1 kB', '/a, /b'],
      ['old', '-', 'vfs', '-', '0', '0 B', '-'],
      [''],
    ],
  );
});

t.test('--quiet prints ids for rm, --json everything', async (t) => {
  t.equal((await runOver(['snapshots', '-q'], { answers })).stdout, 'k3j9x\nold\n');
  t.same(JSON.parse((await runOver(['snapshots', '--json'], { answers })).stdout), snapshots);
});
