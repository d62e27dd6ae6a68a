import t from 'tap';
import { refusesWords, runOver } from './support.js';

const details = { name: 'docker.io/library/a:1', config: { os: 'linux' }, layers: [] };
const answers = { inspect: async () => details };

t.test('refuses wrong words', (t) =>
  refusesWords(t, [
    ['no name', ['inspect'], /missing required argument 'name'/],
    ['two names', ['inspect', 'a', 'b'], /too many arguments/],
  ]),
);

t.test('JSON, indented for people and on one line with --json', async (t) => {
  const text = await runOver(['inspect', 'a:1'], { answers });
  t.same(text.calls, [['inspect', 'a:1']]);
  t.equal(text.stdout, `${JSON.stringify(details, null, 2)}\n`);
  t.equal((await runOver(['inspect', 'a:1', '--json'], { answers })).stdout, `${JSON.stringify(details)}\n`);
});

t.test('a registry is for a later version', async (t) => {
  const { status, stderr, calls } = await runOver(['inspect', 'docker://debian']);
  t.equal(status, 1);
  t.match(stderr, /^layerfs: UNSUPPORTED: "inspect docker:\/\/" is not in this version yet; /);
  t.same(calls, []);
});
