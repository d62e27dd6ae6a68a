import { readdirSync } from 'node:fs';
import t from 'tap';
import { needsRoot } from '../support/privilege.js';
import { refusesWords, runProgram } from './support.js';

t.test('refuses wrong words', (t) =>
  refusesWords(t, [
    ['an argument', ['demo', 'x'], /too many arguments/],
    ['an unknown option', ['demo', '--keep'], /unknown option/],
  ]),
);

t.test('tells the story and leaves nothing', { skip: needsRoot }, async (t) => {
  const directory = t.testdir();
  const { status, stdout, stderr } = await runProgram(['demo'], { env: { TMPDIR: directory } });
  t.same({ status, stderr }, { status: 0, stderr: '' });
  t.match(stdout, /\$ layerfs import oci:/);
  t.match(stdout, 'docker.io/library/sample:1');
  t.same(readdirSync(directory), [], 'something is left');
});

t.test('--json says what was different, and that it stayed', { skip: needsRoot }, async (t) => {
  const { stdout } = await runProgram(['demo', '--json'], { env: { TMPDIR: t.testdir() } });
  const outcome = JSON.parse(stdout) as { driver: string | null };
  if (outcome.driver === null) {
    t.match(outcome, { reason: String, changes: [], persisted: false });
    return;
  }
  t.match(outcome, {
    image: 'sample:1',
    reason: null,
    changes: [
      { kind: 'C', path: '/etc/motd' },
      { kind: 'A', path: '/srv/hello' },
      { kind: 'C', path: '/srv/logo' },
      { kind: 'D', path: '/srv/page-003' },
    ],
    persisted: true,
  });
});

t.test('Ctrl-C leaves nothing either', { skip: needsRoot }, async (t) => {
  for (const word of ['import', 'umount']) {
    const directory = t.testdir();
    const { status, stdout } = await runProgram(['demo'], {
      env: { TMPDIR: directory },
      onStart: (child) => {
        let text = '';
        child.stdout?.on('data', (chunk) => {
          text += String(chunk);
          if (text.includes(`$ layerfs ${word}`)) child.kill('SIGINT');
        });
      },
    });
    t.equal(status, 130, word);
    t.notMatch(stdout, 'That was all of it', word);
    t.same(readdirSync(directory), [], `${word}: something is left`);
  }
});
