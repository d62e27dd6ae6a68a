import { resolve } from 'node:path';
import t from 'tap';
import { refusesWords, runOver } from './support.js';

const unmounted = [{ snapshot: 'k3j9x', mountpoint: '/mnt', driver: 'overlay' }];
const answers = { unmount: async () => unmounted, unmountAll: async () => unmounted };

t.test('refuses wrong words', (t) =>
  refusesWords(t, [
    ['nothing', ['umount'], /either a 'mountpoint', an 'id' or --all/],
    ['a mount point and all', ['umount', '/mnt', '--all'], /either a 'mountpoint', an 'id' or --all/],
    ['two mount points', ['umount', '/a', '/b'], /too many arguments/],
    ['an empty mount point', ['umount', ''], /argument 2 is empty/],
  ]),
);

t.test('makes one call and says nothing', async (t) => {
  for (const [words, call] of [
    [['/mnt'], ['unmount', '/mnt', { lazy: false }]],
    [['./a/../b'], ['unmount', resolve('b'), { lazy: false }]],
    [
      ['k3j9x', '--lazy'],
      ['unmount', 'k3j9x', { lazy: true }],
    ],
    [['--all'], ['unmountAll', { lazy: false }]],
    [
      ['--all', '--lazy'],
      ['unmountAll', { lazy: true }],
    ],
  ] as const) {
    const { calls, stdout, status } = await runOver(['umount', ...words], { answers });
    t.same(calls, [call], words.join(' '));
    t.same({ stdout, status }, { stdout: '', status: 0 });
  }
});

t.test('is called unmount as well', async (t) => {
  t.same((await runOver(['unmount', '/mnt'], { answers })).calls, [['unmount', '/mnt', { lazy: false }]]);
});

t.test('--json lists what was unmounted', async (t) => {
  t.same(JSON.parse((await runOver(['umount', '--all', '--json'], { answers })).stdout), unmounted);
});
