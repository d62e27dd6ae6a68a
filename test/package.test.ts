/** The package that `npm pack` makes: what is in it, and that it works where it is installed. */
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

t.test('the package', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'layerfs-package-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  // The build is there already, and prepack would empty dist/ under the feet of other tests.
  const { stdout } = await run(
    'npm',
    ['pack', '--ignore-scripts', '--json', '--pack-destination', directory],
    {
      cwd: root,
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  const files = packed.files.map(({ path }) => path);

  await t.test('holds the program, its types and its documents, and nothing else', async (t) => {
    for (const path of [
      'dist/index.js',
      'dist/index.d.ts',
      'dist/bin/layerfs.js',
      'dist/lib/worker/extract-worker.js',
      'dist/drivers/overlay/overlay.js',
      'docs/format.md',
      'README.md',
      'LICENSE',
    ]) {
      t.ok(files.includes(path), path);
    }
    t.same(
      files.filter((path) => /^dist\/(test|benchmarks)|\.ts$|\.h\//.test(path) && !path.endsWith('.d.ts')),
      [],
    );
  });

  const modules = join(directory, 'project', 'node_modules');
  mkdirSync(modules, { recursive: true });
  await run('tar', ['-xzf', join(directory, packed.filename), '-C', directory]);
  // Where npm would put it, beside its dependencies and nothing else of ours.
  await run('mv', [join(directory, 'package'), join(modules, 'layerfs')]);
  const manifest = JSON.parse(readFileSync(join(modules, 'layerfs', 'package.json'), 'utf8')) as {
    bin: Record<string, string>;
    dependencies: Record<string, string>;
    optionalDependencies: Record<string, string>;
  };
  const dependencies = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
  for (const name of dependencies) {
    const installed = join(root, 'node_modules', name);
    if (existsSync(installed)) symlinkSync(installed, join(modules, name));
  }

  await t.test('can be imported', async (t) => {
    const program = `
      import { open, parseReference, errorCodes } from 'layerfs';
      const store = await open({ root: process.argv[2] });
      console.log(parseReference('debian').name, (await store.images()).length, 'IN_USE' in errorCodes);
      await store.close();`;
    writeFileSync(join(directory, 'project', 'use.mjs'), program);
    const { stdout } = await run(process.execPath, [
      join(directory, 'project', 'use.mjs'),
      join(directory, 'store'),
    ]);
    t.equal(stdout, 'docker.io/library/debian:latest 0 true\n');
  });

  await t.test('has types that TypeScript accepts', async (t) => {
    const source = `
      import { open, type ImageInfo } from 'layerfs';
      export const images = async (): Promise<ImageInfo[]> => (await open()).images();
      // @ts-expect-error -- a name is text
      export const wrong = async (): Promise<void> => (await open()).tag(1, 'debian');`;
    writeFileSync(join(directory, 'project', 'use.mts'), source);
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    symlinkSync(join(root, 'node_modules', '@types'), join(modules, '@types'));
    const options = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--lib',
      'es2023,esnext.disposable',
    ];
    const compiled = await run(process.execPath, [compiler, ...options, 'use.mts'], {
      cwd: join(directory, 'project'),
    });
    t.equal(compiled.stdout, '');
  });

  await t.test('has a program that runs', async (t) => {
    const bin = join(modules, 'layerfs', manifest.bin['layerfs'] ?? '');
    const { stdout } = await run(process.execPath, [
      bin,
      '--root',
      join(directory, 'store'),
      '--json',
      'images',
    ]);
    t.same(JSON.parse(stdout), []);
  });
});
