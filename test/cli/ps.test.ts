import t from 'tap';
import { refusesWords, runOver } from './support.js';

const since = new Date(Date.now() - 2 * 3_600_000 - 1000).toISOString();
const mounts = [
  {
    snapshot: 'k3j9x',
    mountpoint: '/mnt/new\nline',
    driver: 'overlay',
    image: 'docker.io/library/debian:12',
    pid: 4711,
    readOnly: false,
    since,
    elsewhere: false,
  },
  {
    snapshot: null,
    mountpoint: '/view',
    driver: 'overlay',
    image: null,
    pid: 1,
    readOnly: true,
    since,
    elsewhere: true,
  },
];
const answers = { mounts: async () => mounts };

t.test('refuses wrong words', (t) =>
  refusesWords(t, [
    ['an argument', ['ps', 'x'], /too many arguments/],
    ['an unknown option', ['ps', '--all'], /unknown option/],
  ]),
);

t.test('what is mounted, where and by whom', async (t) => {
  const { stdout } = await runOver(['ps'], { answers });
  t.same(
    stdout.split('\n').map((line) => line.split(/ {2,}/)),
    [
      ['MOUNTPOINT', 'SNAPSHOT', 'IMAGE', 'DRIVER', 'ACCESS', 'PID', 'SINCE', 'NAMESPACE'],
      [
        '/mnt/new\\x0aline',
        'k3j9x',
        'docker.io/library/debian:12',
        'overlay',
        'writable',
        '4711',
        '2 hours ago',
        'this',
      ],
      ['/view', '-', '-', 'overlay', 'read-only', '1', '2 hours ago', 'another'],
      [''],
    ],
  );
});

t.test('--quiet prints mount points, --json everything', async (t) => {
  t.equal((await runOver(['ps', '-q'], { answers })).stdout, '/mnt/new\\x0aline\n/view\n');
  t.same(JSON.parse((await runOver(['ps', '--json'], { answers })).stdout), mounts);
});
