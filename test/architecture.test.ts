/** Which way things depend, held to by reading every import: ARCHITECTURE.md tells it, this file enforces it. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import ts from 'typescript';

/** The repository: compiled tests are somewhere below it. */
function findRoot(directory: string): string {
  return existsSync(join(directory, 'tsconfig.json')) ? directory : findRoot(dirname(directory));
}

const root = findRoot(dirname(fileURLToPath(import.meta.url)));

interface Import {
  /** From the root, as every path here: `lib/fs/atomic.ts`. */
  readonly from: string;
  /** A path, or the name of a package. */
  readonly to: string;
  /** Gone when it is compiled. */
  readonly isType: boolean;
}

function sources(folder: string): string[] {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name));
}

function parse(path: string): ts.SourceFile {
  return ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.Latest);
}

function importsOf(from: string): Import[] {
  const file = parse(from);
  const found: Import[] = [];
  const add = (specifier: ts.Expression | undefined, isType: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteral(specifier)) return;
    const { text } = specifier;
    const to = text.startsWith('.') ? normalize(join(dirname(from), text)).replace(/\.js$/, '.ts') : text;
    if (!to.startsWith('node:')) found.push({ from, to, isType });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeImport(node));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, isTypeExport(node));
    else if (ts.isCallExpression(node) && isLoad(node)) add(node.arguments[0], false);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function isTypeImport({ importClause }: ts.ImportDeclaration): boolean {
  if (importClause === undefined) return false;
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { name, namedBindings } = importClause;
  if (name !== undefined || namedBindings === undefined || !ts.isNamedImports(namedBindings)) return false;
  return namedBindings.elements.every(({ isTypeOnly }) => isTypeOnly);
}

function isTypeExport({ isTypeOnly, exportClause }: ts.ExportDeclaration): boolean {
  if (isTypeOnly || exportClause === undefined || !ts.isNamedExports(exportClause)) return isTypeOnly;
  return exportClause.elements.every((element) => element.isTypeOnly);
}

/** `import()`, and the `require` that loads what may be missing. */
function isLoad({ expression }: ts.CallExpression): boolean {
  return (
    expression.kind === ts.SyntaxKind.ImportKeyword ||
    (ts.isIdentifier(expression) && expression.text === 'require')
  );
}

const files = ['index.ts', ...['lib', 'drivers', 'bin'].flatMap(sources)];
const imports = files.flatMap(importsOf);
const internal = imports.filter(({ to }) => to.endsWith('.ts'));
const external = imports.filter(({ to }) => !to.endsWith('.ts'));

/** `bin`, `index.ts`, `drivers/vfs`, `lib/fs`, or `lib/errors.ts` for a file of lib itself. */
function partOf(path: string): string {
  const [top = '', folder = '', ...rest] = path.split('/');
  if (top === 'bin' || rest.length > 0) return top === 'bin' ? top : `${top}/${folder}`;
  return path;
}

const wrong = (found: readonly Import[]): string[] => found.map(({ from, to }) => `${from} imports ${to}`);

t.test('there is something to look at', async (t) => {
  t.ok(
    files.length > 100 && internal.length > 300 && external.length > 10,
    `${files.length}, ${imports.length}`,
  );
  for (const { from, to } of internal)
    t.ok(existsSync(join(root, to)), `${from} imports ${to}, which is there`);
});

t.test('the command line knows index.ts and itself', async (t) => {
  const allowed = ({ from, to }: Import): boolean =>
    to === 'index.ts' ||
    to.startsWith('bin/') ||
    (from.startsWith('bin/demo/') && to.startsWith('lib/demo/'));
  t.same(wrong(internal.filter((item) => item.from.startsWith('bin/') && !allowed(item))), []);
});

t.test('index.ts knows drivers and lib', async (t) => {
  const allowed = ({ to }: Import): boolean => to === 'drivers/index.ts' || to.startsWith('lib/');
  t.same(wrong(internal.filter((item) => item.from === 'index.ts' && !allowed(item))), []);
});

t.test(
  'a driver knows lib, and no other driver; drivers/index.ts loads each when it is asked for',
  async (t) => {
    const drivers = internal.filter(({ from }) => from.startsWith('drivers/'));
    const allowed = ({ from, to }: Import): boolean =>
      to.startsWith('lib/') ||
      (from === 'drivers/index.ts' ? to.startsWith('drivers/') : partOf(from) === partOf(to));
    t.same(wrong(drivers.filter((item) => !allowed(item))), []);
    const text = readFileSync(join(root, 'drivers', 'index.ts'), 'utf8');
    t.notMatch(text, /^import (?!type).*'\.\//m, 'no driver is loaded before it is asked for');
  },
);

t.test('what a driver is given of the store is not the store', async (t) => {
  const drivers = internal.filter(
    ({ from, to }) => from.startsWith('drivers/') && /^lib\/(store|layout|source|target|image)\//.test(to),
  );
  t.same(wrong(drivers), []);
});

t.test('lib knows nothing above it', async (t) => {
  const allowed = ({ to }: Import): boolean => to.startsWith('lib/');
  t.same(wrong(internal.filter((item) => item.from.startsWith('lib/') && !allowed(item))), []);
});

/** From the ground up. A part may use what stands before it, and of its own row nothing but itself. */
const rows: readonly (readonly string[])[] = [
  ['lib/errors.ts', 'lib/bytes.ts', 'lib/limits.ts', 'lib/hash.ts'],
  ['lib/abort.ts', 'lib/digest.ts'],
  ['lib/sys'],
  ['lib/fs', 'lib/image', 'lib/mount'],
  ['lib/compress', 'lib/layout', 'lib/layer'],
  ['lib/content', 'lib/archive', 'lib/tar', 'lib/union', 'lib/snapshot'],
  ['lib/flat', 'lib/source', 'lib/target', 'lib/upper'],
  ['lib/driver.ts', 'lib/worker', 'lib/demo'],
  ['lib/store'],
];

/** The one noun that everything speaks. */
const noun = 'lib/layer/entry.ts';

t.test('in lib, everything stands on what is below it', async (t) => {
  const height = (part: string): number => rows.findIndex((row) => row.includes(part));
  const between = internal.filter(({ from, to }) => from.startsWith('lib/') && partOf(from) !== partOf(to));
  for (const part of new Set(between.flatMap(({ from, to }) => [partOf(from), partOf(to)]))) {
    t.ok(height(part) >= 0, `${part} has its row`);
  }
  const upwards = between.filter(({ from, to }) => height(partOf(from)) <= height(partOf(to)));
  t.same(wrong(upwards.filter(({ to, isType }) => to !== noun || !isType)), []);
});

t.test('files of one folder do not import each other in circles', async (t) => {
  const code = internal.filter(({ isType }) => !isType);
  const next = new Map(
    files.map((file) => [file, code.filter(({ from }) => from === file).map(({ to }) => to)]),
  );
  const state = new Map<string, 'open' | 'done'>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      return;
    }
    state.set(file, 'open');
    for (const to of next.get(file) ?? []) visit(to, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of files) visit(file, []);
  t.same(circles, []);
});

/** Where each package is at home. Its types may be named elsewhere where that is said. */
const homes: Readonly<Record<string, { readonly at: RegExp; readonly types?: RegExp }>> = {
  koffi: { at: /^lib\/sys\// },
  'tar-stream': { at: /^lib\/archive\// },
  'xxhash-wasm': { at: /^lib\/hash\.ts$/, types: /^lib\// },
  fzstd: { at: /^lib\/compress\// },
  'zstd-napi': { at: /^lib\/compress\// },
  'zstd-napi/binding.js': { at: /^lib\/compress\// },
  'lru-cache': { at: /^lib\// },
  commander: { at: /^bin\// },
  'cli-progress': { at: /^bin\// },
};

t.test('packages stay at home', async (t) => {
  const allowed = ({ from, to, isType }: Import): boolean =>
    homes[to]?.at.test(from) === true || (isType && homes[to]?.types?.test(from) === true);
  t.same(wrong(external.filter((item) => !allowed(item))), []);
});

t.test('package.json asks for what is imported, and for nothing else', async (t) => {
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as {
    dependencies: Record<string, string>;
    optionalDependencies: Record<string, string>;
  };
  const wanted = Object.keys({ ...dependencies, ...optionalDependencies }).sort();
  const used = new Set(external.map(({ to }) => to.split('/')[0]));
  t.same([...used].sort(), wanted);
});

t.test('magic names stay home', async (t) => {
  const magic: readonly (readonly [name: string, pattern: RegExp, home: RegExp])[] = [
    ['.wh. names', /['"`]\.wh\./, /^lib\/layer\/whiteout\.ts$/],
    ['overlayfs marks', /trusted\.overlay/, /^lib\/upper\/marks\.ts$/],
    ['system call numbers', /\bSYS_[a-z0-9_]+ =/, /^lib\/sys\//],
    ['prefixes of paths', /startsWith\((this\.)?#?root\b/, /^$/],
  ];
  for (const [name, pattern, home] of magic) {
    const strays = files.filter((file) => !home.test(file) && pattern.test(withoutComments(file)));
    t.same(strays, [], name);
  }
});

function withoutComments(path: string): string {
  return ts.createPrinter({ removeComments: true }).printFile(parse(path));
}
