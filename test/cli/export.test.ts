import t from 'tap';
import { refusesWords, runOver } from './support.js';

const result = { target: 'oci:out:1', digest: `sha256:${'ab'.repeat(32)}` };
const answers = { export: async () => result };

t.test('refuses wrong words', async (t) => {
  await refusesWords(t, [
    ['no name', ['export'], /missing required argument 'name'/],
    ['no target', ['export', 'a'], /missing required argument 'target'/],
    ['too much', ['export', 'a', 'oci:x', 'y'], /too many arguments/],
  ]);
  const words = ['export', 'a', 'docker-archive:-'];
  const { status, stderr, opened } = await runOver(words, { terminal: true });
  t.equal(status, 2, 'an archive to the terminal: status');
  t.match(stderr, /layerfs: USAGE: an archive is not for the terminal/);
  t.equal(opened, undefined);
});

t.test('writes the image and says where it is', async (t) => {
  const { calls, stdout } = await runOver(['export', 'a', 'oci:out:1'], { answers });
  t.match(calls, [['export', 'a', 'oci:out:1', {}]]);
  t.equal(stdout, 'oci:out:1\n');
  t.same(JSON.parse((await runOver(['export', 'a', 'oci:out:1', '--json'], { answers })).stdout), result);
});

t.test('an archive on standard output is alone there', async (t) => {
  for (const target of ['oci-archive:-', 'oci-archive:-:tag', 'docker-archive:-:a:1']) {
    const { stdout, status } = await runOver(['export', 'a', target, '--json'], { answers });
    t.same({ stdout, status }, { stdout: '', status: 0 }, target);
  }
});
