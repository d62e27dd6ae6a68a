import t from 'tap';
import { refusesWords, runOver } from './support.js';

const result = { removed: ['docker.io/library/a:1', 'docker.io/library/b:1'], freed: 1_500_000 };
const answers = { removeImages: async () => result };

t.test('refuses wrong words', (t) =>
  refusesWords(t, [
    ['no name', ['rmi'], /missing required argument 'name'/],
    ['an empty name', ['rmi', ''], /argument 2 is empty/],
    ['an option that rm has', ['rmi', '-f', 'a'], /unknown option '-f'/],
  ]),
);

t.test('removes all names in one call', async (t) => {
  const { stdout, calls } = await runOver(['rmi', 'a:1', 'b:1'], { answers });
  t.same(calls, [['removeImages', ['a:1', 'b:1']]]);
  t.equal(stdout, 'removed docker.io/library/a:1\nremoved docker.io/library/b:1\nfreed 1.5 MB\n');
});

t.test('--json and --quiet', async (t) => {
  t.same(JSON.parse((await runOver(['rmi', 'a:1', '--json'], { answers })).stdout), result);
  t.equal((await runOver(['rmi', 'a:1', '-q'], { answers })).stdout, '');
});
