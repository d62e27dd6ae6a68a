import t from 'tap';
import { refusesWords, runOver } from './support.js';

const usage = {
  content: 3_000_000,
  layers: [
    { id: 'l1', diffId: `sha256:${'ab'.repeat(32)}`, size: 8_000_000, images: ['a:1', 'b:1'] },
    { id: 'l2', diffId: `sha256:${'cd'.repeat(32)}`, size: 500, images: [] },
  ],
  snapshots: [{ id: 'k3j9x', size: 4096 }],
  total: 11_004_596,
};
const answers = { usage: async () => usage };

t.test('refuses wrong words', (t) => refusesWords(t, [['an argument', ['du', 'x'], /too many arguments/]]));

t.test('layers, snapshots and sums', async (t) => {
  const { stdout } = await runOver(['du'], { answers });
  t.same(stdout.split('\n'), [
    'LAYER           SIZE  IMAGES',
    'abababababab  8.0 MB  a:1, b:1',
    'cdcdcdcdcdcd   500 B  -',
    '',
    'SNAPSHOT    SIZE',
    'k3j9x     4.1 kB',
    '',
    'blobs:     3.0 MB',
    'layers:    8.0 MB',
    'snapshots: 4.1 kB',
    'total:     11.0 MB',
    '',
  ]);
});

t.test('--quiet prints the sums, --json everything', async (t) => {
  t.match((await runOver(['du', '-q'], { answers })).stdout, /^blobs: /);
  t.same(JSON.parse((await runOver(['du', '--json'], { answers })).stdout), usage);
});
