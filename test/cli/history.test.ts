import t from 'tap';
import { refusesWords, runOver } from './support.js';

const layer = `sha256:${'cd'.repeat(32)}`;
const step = { created: null, createdBy: null, comment: null, emptyLayer: true, layer: null, size: null };
const command = `/bin/sh -c ${'x'.repeat(60)}`;
const history = [
  { ...step, createdBy: 'base', emptyLayer: false, layer, size: 1234 },
  { ...step, createdBy: command, comment: 'with\ttab' },
];
const answers = { history: async () => history.slice() };

t.test('refuses wrong words', (t) =>
  refusesWords(t, [
    ['no name', ['history'], /missing required argument 'name'/],
    ['two names', ['history', 'a', 'b'], /too many arguments/],
  ]),
);

t.test('the newest step on top, shortened', async (t) => {
  const { stdout, calls } = await runOver(['history', 'debian'], { answers });
  t.same(calls, [['history', 'debian']]);
  t.same(
    stdout.split('\n').map((line) => line.split(/ {2,}/)),
    [
      ['LAYER', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT'],
      ['-', '-', `${command.slice(0, 44)}…`, '-', 'with\\x09tab'],
      ['cdcdcdcdcdcd', '-', 'base', '1.2 kB'],
      [''],
    ],
  );
});

t.test('--no-trunc cuts nothing', async (t) => {
  const { stdout } = await runOver(['history', 'debian', '--no-trunc'], { answers });
  t.match(stdout, command);
  t.match(stdout, layer);
});

t.test('--json has the same order', async (t) => {
  const { stdout } = await runOver(['history', 'debian', '--json'], { answers });
  t.same(JSON.parse(stdout), history.slice().reverse());
});
