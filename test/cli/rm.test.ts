import t from 'tap';
import { refusesWords, runOver } from './support.js';

const answers = { removeSnapshots: async () => undefined };

t.test('refuses wrong words', (t) =>
  refusesWords(t, [
    ['no id', ['rm'], /missing required argument 'id'/],
    ['force alone', ['rm', '-f'], /missing required argument 'id'/],
    ['an empty id', ['rm', ''], /argument 2 is empty/],
    ['an unknown option', ['rm', '-r', 'a'], /unknown option '-r'/],
  ]),
);

t.test('removes all in one call', async (t) => {
  const { calls, stdout } = await runOver(['rm', 'a', 'b'], { answers });
  t.same(calls, [['removeSnapshots', ['a', 'b'], { force: false }]]);
  t.equal(stdout, '');
});

t.test('-f unmounts first', async (t) => {
  for (const flag of ['-f', '--force']) {
    const { calls } = await runOver(['rm', flag, 'a'], { answers });
    t.same(calls, [['removeSnapshots', ['a'], { force: true }]]);
  }
});

t.test('--json', async (t) => {
  t.same(JSON.parse((await runOver(['rm', 'a', '--json'], { answers })).stdout), { removed: ['a'] });
});
