import t from 'tap';
import { refusesWords, runOver } from './support.js';

const info = {
  root: '/var/lib/layerfs',
  version: '0.1.0',
  formatVersion: 1,
  drivers: [
    { name: 'overlay', available: true, detail: { metacopy: false, kernel: '6.8' }, supports: {} },
    { name: 'vfs', available: false, reason: 'needs\nroot', supports: {} },
  ],
  auto: 'overlay',
  kernel: '6.8.0',
  features: { openat2: true, 'mount API': false },
  images: 1,
  layers: 2,
  snapshots: 3,
};

t.test('refuses wrong words', (t) => refusesWords(t, [['an argument', ['info', 'x'], /too many arguments/]]));

t.test('each driver and, where it cannot work, why', async (t) => {
  const { stdout } = await runOver(['info'], { answers: { info: async () => info } });
  t.same(
    stdout.split('\n').map((line) => line.split(/ {2,}/)),
    [
      ['store:', '/var/lib/layerfs'],
      ['format:', '1'],
      ['layerfs:', '0.1.0'],
      ['kernel:', '6.8.0'],
      ['images:', '1'],
      ['layers:', '2'],
      ['snapshots: 3'],
      ['auto:', 'overlay'],
      [''],
      ['DRIVER', 'WORKS', 'WHY'],
      ['overlay', 'yes', 'metacopy: no, kernel: 6.8'],
      ['vfs', 'no', 'needs\\x0aroot'],
      [''],
      ['KERNEL FEATURE', 'VALUE'],
      ['openat2', 'yes'],
      ['mount API', 'no'],
      [''],
    ],
  );
});

t.test('--json', async (t) => {
  const { stdout } = await runOver(['info', '--json'], { answers: { info: async () => info } });
  t.same(JSON.parse(stdout), info);
});

t.test('where nothing works, it says so', async (t) => {
  const { stdout } = await runOver(['info'], { answers: { info: async () => ({ ...info, auto: null }) } });
  t.match(stdout, /auto: +no driver works here\n/);
});
