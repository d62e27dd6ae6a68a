/** Dependencies point one way, and every package has its home: ARCHITECTURE.md, read off the imports. */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Import {
  readonly file: string;
  /** A path in the repository, without its ending, or the name of a package. */
  readonly target: string;
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => posix.join(folder, name));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const specifiers = [
    ...text.matchAll(
      /(?:^|[^.\w])(?:import|export)\b[^'"`;]*?from\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|^import\s+'([^']+)'/gm,
    ),
  ];
  return specifiers.map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? '';
    const target = specifier.startsWith('.')
      ? posix.join(dirname(file), specifier).replace(/\.js$/, '')
      : specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/');
    return { file, target };
  });
}

const files = ['index.ts', ...['lib', 'drivers', 'bin'].flatMap(sources)];
const imports = files.flatMap(importsOf);

/** Folders of lib, each row using only the rows above it and the files at the top of lib. */
const rows = [
  ['sys'],
  ['fs', 'image', 'mount'],
  ['compress', 'layout', 'layer'],
  ['content', 'archive', 'tar', 'union', 'snapshot'],
  ['flat', 'source', 'target', 'upper'],
  ['worker', 'demo'],
  ['store'],
];

const rowOf = (folder: string): number => rows.findIndex((row) => row.includes(folder));

/** lib/driver.ts declares the contract out of what the folders below it have. */
const contract = { file: 'lib/driver', row: rowOf('flat') };

t.test('imports are read at all', async (t) => {
  t.ok(files.length > 100);
  t.ok(imports.some(({ file, target }) => file === 'lib/sys/libc.ts' && target === 'koffi'));
  t.ok(imports.some(({ file, target }) => file === 'index.ts' && target === 'drivers/index'));
});

t.test('bin → index → drivers → lib', async (t) => {
  const wrong = imports.filter(({ file, target }) => {
    const [from] = file.split('/');
    if (from === 'lib') return /^(drivers|bin|index$)/.test(target);
    if (from === 'drivers') return target.startsWith('bin/') || target === 'index';
    // The demo makes its sample image with the library's own writer.
    if (from === 'bin') return /^(lib|drivers)\//.test(target) && target !== 'lib/demo/sample-image';
    return target.startsWith('bin/');
  });
  t.same(wrong, []);
});

t.test('drivers do not know each other', async (t) => {
  const folder = (path: string): string | undefined => /^drivers\/([^/]+)\//.exec(path)?.[1];
  const wrong = imports.filter(({ file, target }) => {
    const [from, to] = [folder(file), folder(target)];
    return from !== undefined && to !== undefined && from !== to;
  });
  t.same(wrong, []);
});

t.test('in lib a folder uses only what is below it', async (t) => {
  const folders = readdirSync(join(root, 'lib'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  t.same(
    folders.map(({ name }) => name).filter((name) => rowOf(name) < 0),
    [],
    'every folder has a row',
  );
  const folder = (path: string): string | undefined => /^lib\/([^/]+)\//.exec(path)?.[1];
  const wrong = imports.filter(({ file, target }) => {
    const from = folder(file);
    if (from === undefined)
      return file !== `${contract.file}.ts` && file.startsWith('lib/') && folder(target) !== undefined;
    if (target === contract.file) return rowOf(from) <= contract.row;
    // The one noun that everything speaks.
    if (target === 'lib/layer/entry') return false;
    const to = folder(target);
    return to !== undefined && to !== from && rowOf(to) >= rowOf(from);
  });
  t.same(wrong, []);
});

t.test('every package has its home', async (t) => {
  const homes: Readonly<Record<string, RegExp>> = {
    koffi: /^lib\/sys\//,
    'tar-stream': /^lib\/archive\//,
    fzstd: /^lib\/compress\//,
    'zstd-napi': /^lib\/compress\//,
    'xxhash-wasm': /^lib\/(hash\.ts$|compress\/|upper\/|layer\/)/,
    'lru-cache': /^lib\//,
    commander: /^bin\//,
    'cli-progress': /^bin\//,
    layerfs: /^/,
  };
  const outside = imports.filter(
    ({ target }) => !target.startsWith('node:') && !/^(lib|drivers|bin|index|package)\b/.test(target),
  );
  t.same(
    outside.filter(({ file, target }) => homes[target]?.test(file) !== true),
    [],
  );
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const declared = Object.keys({ ...manifest['dependencies'], ...manifest['optionalDependencies'] });
  const homeless = declared.filter((name) => homes[name] === undefined);
  t.same(homeless, [], 'a new dependency is given a home here');
});

t.test('magic names stay home', async (t) => {
  const homes: readonly (readonly [RegExp, RegExp])[] = [
    [/'\.wh\./, /^lib\/layer\/whiteout\.ts$/],
    [/['"`]trusted\.overlay\./, /^lib\/upper\/marks\.ts$/],
  ];
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    for (const [name, home] of homes)
      t.notOk(name.test(text) && !home.test(file), `${relative('.', file)} ${name.source}`);
  }
});
