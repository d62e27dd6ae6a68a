/** The program as a process: the whole way of an image, standard input and output, signals. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { writeSampleImage } from '../../lib/demo/sample-image.js';
import { needsRoot } from '../support/privilege.js';
import { program, runProgram, type Ended } from './support.js';

interface Setting {
  readonly directory: string;
  readonly source: string;
  /** Runs the program over the store of this test. */
  readonly layerfs: (...words: string[]) => Promise<Ended>;
  /** The same where it must end well; gives its standard output. */
  readonly ok: (...words: string[]) => Promise<string>;
}

async function setting(t: Test): Promise<Setting> {
  const directory = t.testdir({ mnt: {} });
  await writeSampleImage(join(directory, 'image'), '1', 'whole');
  const root = join(directory, 'store');
  const layerfs = (...words: string[]): Promise<Ended> => runProgram(['--root', root, ...words]);
  const ok = async (...words: string[]): Promise<string> => {
    const { status, stdout, stderr } = await layerfs(...words);
    t.same({ status, stderr }, { status: 0, stderr: '' }, words.join(' '));
    return stdout;
  };
  t.teardown(() => layerfs('umount', '--all'));
  return { directory, source: `oci:${join(directory, 'image')}:1`, layerfs, ok };
}

t.test('needs no store for its version, and no more than a moment', async (t) => {
  const { stdout, status } = await runProgram(['--version']);
  t.match(stdout, /^\d+\.\d+\.\d+\n$/);
  t.equal(status, 0);
});

t.test('exit statuses', async (t) => {
  const { layerfs } = await setting(t);
  for (const [name, words, status, message] of [
    ['an unknown command', ['nonsense'], 2, 'USAGE'],
    ['a name that is none', ['inspect', 'UPPER'], 2, 'REFERENCE_INVALID'],
    ['an unknown driver', ['images', '--driver', 'floppy'], 2, 'DRIVER_UNKNOWN'],
    ['no such image', ['inspect', 'debian'], 1, 'IMAGE_NOT_FOUND'],
    ['a command that is not there yet', ['commit', 'x', 'y'], 1, 'UNSUPPORTED'],
  ] as const) {
    const ended = await layerfs(...words);
    t.equal(ended.status, status, name);
    t.match(ended.stderr, new RegExp(`^layerfs: ${message}: `), name);
    t.equal(ended.stdout, '', name);
  }
});

t.test('LAYERFS_ROOT names the store', async (t) => {
  const root = join(t.testdir(), 'store');
  const { stdout } = await runProgram(['info', '--json'], { env: { LAYERFS_ROOT: root } });
  t.match(JSON.parse(stdout), { root, images: 0 });
});

t.test('the way of an image: in, look, mount, write, mount again, out', { skip: needsRoot }, async (t) => {
  const { directory, source, layerfs, ok } = await setting(t);
  const mountpoint = join(directory, 'mnt');
  const name = 'docker.io/library/sample:1';

  t.match(await ok('import', source, 'sample:1'), new RegExp(`^${name} {2}[0-9a-f]{12} {2}3 layers, `));
  t.match(JSON.parse(await ok('images', '--json')), [{ name, layers: 3 }]);
  t.equal(await ok('ls', 'sample:1:/var/packages'), 'list\n', 'an opaque directory hides what was below');
  t.match(await ok('ls', '-l', 'sample:1:/bin/su'), /^-rwsr-xr-x/);
  const files = JSON.parse(await ok('ls', '-R', 'sample:1', '--json')) as { path: string }[];
  t.notOk(
    files.some(({ path }) => path === 'etc/hostname'),
    'a whiteout hides the file below',
  );
  t.match(await ok('history', 'sample:1'), /clean up/);
  t.match(JSON.parse(await ok('inspect', 'sample:1')), { name, layers: [{}, {}, {}] });
  t.match(JSON.parse(await ok('du', '--json')), { layers: [{}, {}, {}], snapshots: [] });

  t.equal(await ok('mount', 'sample:1', mountpoint, '--snapshot', 'first'), 'first\n');
  writeFileSync(join(mountpoint, 'etc/motd'), 'mine');
  t.match(JSON.parse(await ok('ps', '--json')), [
    { snapshot: 'first', mountpoint, image: name, elsewhere: false },
  ]);
  const busy = await layerfs('rm', 'first');
  t.same(busy.status, 1);
  t.match(busy.stderr, /^layerfs: IN_USE: /);
  t.equal(await ok('umount', mountpoint), '');
  t.same(readdirSync(mountpoint), [], 'HOST DIRECTORY WAS WRITTEN TO');

  t.match(JSON.parse(await ok('mount', '--snapshot', 'first', mountpoint, '--json')), {
    snapshot: 'first',
    mountpoint,
  });
  t.equal(readFileSync(join(mountpoint, 'etc/motd'), 'utf8'), 'mine', 'what was written is still there');
  t.equal(await ok('umount', 'first'), '');
  t.equal(await ok('mount', '--read-only', 'sample:1', mountpoint), `${mountpoint}\n`);
  t.equal(
    readFileSync(join(mountpoint, 'etc/motd'), 'utf8'),
    'Welcome to the application.\n',
    'the image never changed',
  );
  t.equal(await ok('umount', '--all'), '');
  t.equal(await ok('snapshots', '--quiet'), 'first\n');
  t.equal(await ok('rm', 'first'), '');

  const out = join(directory, 'out');
  t.equal(await ok('export', 'sample:1', `oci:${out}:2`), `oci:${out}:2\n`);
  t.ok(existsSync(join(out, 'oci-layout')));
  t.equal(await ok('tag', 'sample:1', 'again:1'), '');
  t.match(await ok('rmi', 'sample:1', 'again:1'), /^removed .*\nremoved .*\nfreed [1-9]/);
  t.equal(await ok('images', '--quiet'), '');
});

t.test('archives through standard output and input', { skip: needsRoot }, async (t) => {
  const { directory, source, ok } = await setting(t);
  await ok('import', source, 'sample:1');
  const root = join(directory, 'store');
  const words = ['--root', root, 'export', 'sample:1', 'docker-archive:-:copy:1', '--json'];
  const written = spawnSync(process.execPath, [program, ...words], { maxBuffer: 64 * 1024 * 1024 });
  t.equal(written.status, 0, written.stderr.toString());
  const read = await runProgram(['--root', root, 'import', 'docker-archive:-', '--quiet'], {
    input: written.stdout,
  });
  t.equal(read.stderr, '');
  t.equal(read.stdout, 'docker.io/library/copy:1\n');
});

t.test('a reader who leaves ends it quietly', { skip: needsRoot }, async (t) => {
  const { directory, source, ok } = await setting(t);
  await ok('import', source, 'sample:1');
  const command = `"${process.execPath}" "${program}" --root "${directory}/store" ls -lR sample:1; echo "status $?" >&2`;
  const { stdout, stderr } = spawnSync('sh', ['-c', `(${command}) | head -n 1`], { encoding: 'utf8' });
  t.equal(stdout.split('\n').length, 2);
  t.match(stderr, /^status (0|141)\n$/, 'no stack trace, no message');
});

t.test('signals cancel, and nothing half-made is left', { skip: needsRoot }, async (t) => {
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    const { directory, layerfs } = await setting(t);
    // Standard input that never ends keeps the import waiting until the signal comes.
    const ended = await runProgram(
      ['--root', join(directory, 'store'), 'import', 'rootfs:-', 'never:1', '--progress', 'plain'],
      {
        input: null,
        onStart: (child) => child.stderr?.once('data', () => child.kill(signal)),
      },
    );
    t.equal(ended.status, status, signal);
    t.match(ended.stderr, /^layerfs: ABORTED: /m, signal);
    t.equal((await layerfs('images', '--quiet')).stdout, '', signal);
    t.same(readdirSync(join(directory, 'store', 'tmp')), [], `${signal}: temporary files`);
  }
});
