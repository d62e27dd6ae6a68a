/** scripts/setup.mjs over a package whose npm and tsc only write down that they were called. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';

const script = join(
  dirname(createRequire(import.meta.url).resolve('layerfs/package.json')),
  'scripts/setup.mjs',
);

const lock = {
  packages: {
    '': { version: '1.0.0' },
    'node_modules/needed': { version: '2.0.0' },
    'node_modules/wanted': { version: '3.0.0', optional: true },
  },
};
const { 'node_modules/needed': needed, 'node_modules/wanted': wanted } = lock.packages;

const fakeTsc = `
const { appendFileSync, existsSync, mkdirSync, writeFileSync } = require('node:fs');
appendFileSync('calls', 'tsc\\n');
if (existsSync('broken')) process.exit(2);
mkdirSync('dist/bin', { recursive: true });
writeFileSync('dist/bin/layerfs.js', '');`;

const fakeNpm = `
require('node:fs').appendFileSync('calls', 'npm ' + process.argv.slice(2).join(' ') + '\\n');`;

interface Package {
  readonly path: (name: string) => string;
  /** Runs the script. @returns the tools it called, in order */
  readonly setup: () => { calls: string[]; status: number | null; stdout: string; stderr: string };
}

function makePackage(t: Test, installed: object | null): Package {
  const directory = t.testdir({
    'package.json': '{}',
    'package-lock.json': JSON.stringify(lock),
    'tsconfig.json': '{}',
    'index.ts': '',
    lib: { 'a.ts': '' },
    scripts: {},
    npm: { 'npm-cli.js': fakeNpm },
    node_modules: {
      ...(installed === null ? {} : { '.package-lock.json': JSON.stringify({ packages: installed }) }),
      typescript: { bin: { tsc: fakeTsc } },
    },
  });
  const path = (name: string): string => join(directory, name);
  copyFileSync(script, path('scripts/setup.mjs'));
  // Sources of a checkout are older than what is built from them.
  for (const name of ['package-lock.json', 'tsconfig.json', 'index.ts', 'lib/a.ts'])
    utimesSync(path(name), 1, 1);
  return {
    path,
    setup() {
      rmSync(path('calls'), { force: true });
      const env = { ...process.env, npm_execpath: path('npm/npm-cli.js') };
      const { status, stdout, stderr } = spawnSync(process.execPath, [path('scripts/setup.mjs')], {
        env,
        encoding: 'utf8',
      });
      const calls = existsSync(path('calls'))
        ? readFileSync(path('calls'), 'utf8').trimEnd().split('\n')
        : [];
      return { calls, status, stdout, stderr };
    },
  };
}

const installing = (what: string): string =>
  `npm ${what} --include=dev --no-audit --no-fund --loglevel=error`;

t.test('installs what is missing or of another version', async (t) => {
  for (const [name, installed, calls] of [
    ['a fresh clone', null, [installing('ci'), 'tsc']],
    ['all is there', { 'node_modules/needed': needed, 'node_modules/wanted': wanted }, ['tsc']],
    ['an optional package could not be built', { 'node_modules/needed': needed }, ['tsc']],
    ['a package is missing', { 'node_modules/wanted': wanted }, [installing('ci'), 'tsc']],
    ['a package is old', { 'node_modules/needed': { version: '1.9.0' } }, [installing('ci'), 'tsc']],
    [
      'an optional package is old',
      { 'node_modules/needed': needed, 'node_modules/wanted': { version: '2.9.0' } },
      [installing('ci'), 'tsc'],
    ],
  ] as const) {
    t.same(makePackage(t, installed).setup().calls, calls, name);
  }
});

t.test('without a lock there is nothing to compare with', async (t) => {
  const there = makePackage(t, {});
  rmSync(there.path('package-lock.json'));
  t.same(there.setup().calls, ['tsc']);
  const missing = makePackage(t, null);
  rmSync(missing.path('package-lock.json'));
  t.same(missing.setup().calls, [installing('install'), 'tsc']);
});

t.test('builds once, quietly the second time, and again after a change', async (t) => {
  const { path, setup } = makePackage(t, { 'node_modules/needed': needed });
  const first = setup();
  t.match(first, { calls: ['tsc'], status: 0, stdout: '', stderr: 'layerfs: building: tsc\n' });
  t.equal(statSync(path('dist/bin/layerfs.js')).mode & 0o777, 0o755, 'the program can be run');
  t.same(setup(), { calls: [], status: 0, stdout: '', stderr: '' });

  const later = Date.now() / 1000 + 1;
  for (const [name, change] of [
    ['an edited source', () => utimesSync(path('lib/a.ts'), later, later)],
    ['other compiler options', () => utimesSync(path('tsconfig.json'), later, later)],
  ] as const) {
    setup();
    change();
    t.same(setup().calls, ['tsc'], name);
    for (const file of ['lib/a.ts', 'tsconfig.json']) utimesSync(path(file), 1, 1);
  }
});

t.test('what was built from a file that is gone, goes', async (t) => {
  const { path, setup } = makePackage(t, { 'node_modules/needed': needed });
  writeFileSync(path('lib/b.ts'), '');
  setup();
  writeFileSync(path('dist/b.js'), '');
  rmSync(path('lib/b.ts'));
  t.same(setup().calls, ['tsc']);
  t.notOk(existsSync(path('dist/b.js')));
});

t.test('a build that fails is no build', async (t) => {
  const { path, setup } = makePackage(t, { 'node_modules/needed': needed });
  writeFileSync(path('broken'), '');
  t.match(setup(), { calls: ['tsc'], status: 1, stderr: /tsc .* failed\n$/ });
  rmSync(path('broken'));
  t.match(setup(), { calls: ['tsc'], status: 0 }, 'the next one builds again');
});
