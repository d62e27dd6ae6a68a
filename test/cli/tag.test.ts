import t from 'tap';
import { refusesWords, runOver } from './support.js';

const answers = { tag: async () => undefined };

t.test('refuses wrong words', (t) =>
  refusesWords(t, [
    ['no name', ['tag'], /missing required argument 'name'/],
    ['no new name', ['tag', 'a'], /missing required argument 'new'/],
    ['one name too many', ['tag', 'a', 'b', 'c'], /too many arguments/],
    ['an empty name', ['tag', 'a', ''], /argument 3 is empty/],
    ['an unknown option', ['tag', 'a', 'b', '--force'], /unknown option '--force'/],
  ]),
);

t.test('gives the image the other name and says nothing', async (t) => {
  const { status, stdout, calls, closed } = await runOver(['tag', 'debian:12', 'mine'], { answers });
  t.same(calls, [['tag', 'debian:12', 'mine']]);
  t.same({ status, stdout, closed }, { status: 0, stdout: '', closed: 1 });
});

t.test('--json says what was done', async (t) => {
  const { stdout } = await runOver(['tag', 'debian:12', 'mine', '--json'], { answers });
  t.same(JSON.parse(stdout), { name: 'debian:12', new: 'mine' });
});
