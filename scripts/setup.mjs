#!/usr/bin/env node
/**
 * What `npm start` and `npm test` call first: installs what package-lock.json asks for and builds dist/. Does
 * nothing, and says nothing, where both are up to date. Needs Node 20 and npm; no compiler (packages that would need
 * one are optional and may fail to build).
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const inRoot = (...parts) => join(root, ...parts);
const stamp = inRoot('dist', '.built');

if (Number(process.versions.node.split('.')[0]) < 20) {
  fail(`layerfs needs Node 20 or newer; this is ${process.version}`);
}
if (!isInstalled()) install();
const sources = listSources();
if (!isBuilt(sources)) build(sources);

/** Compares what the lock asks for with what npm says it has installed: times mean nothing after a checkout. */
function isInstalled() {
  const installed = readJson(inRoot('node_modules', '.package-lock.json'))?.packages;
  const wanted = readJson(inRoot('package-lock.json'))?.packages;
  if (installed === undefined) return false;
  if (wanted === undefined) return true;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === '') return true;
    const found = installed[path]?.version;
    return found === version || (found === undefined && optional === true);
  });
}

function install() {
  const words = [existsSync(inRoot('package-lock.json')) ? 'ci' : 'install'];
  // Building needs the development dependencies, whatever NODE_ENV says.
  words.push('--include=dev', '--no-audit', '--no-fund', '--loglevel=error');
  say(`installing dependencies: npm ${words[0]}`);
  const npm = process.env.npm_execpath ?? '';
  if (basename(npm) === 'npm-cli.js') run(process.execPath, [npm, ...words]);
  else run('npm', words);
}

/** Every file a build depends on, sorted. */
function listSources() {
  const folders = ['lib', 'drivers', 'bin', 'benchmarks', 'test'];
  const files = folders
    .filter((folder) => existsSync(inRoot(folder)))
    .flatMap((folder) =>
      readdirSync(inRoot(folder), { recursive: true }).map((name) => join(folder, String(name))),
    )
    .filter((path) => path.endsWith('.ts'));
  return ['index.ts', 'tsconfig.json', 'package-lock.json', ...files]
    .filter((path) => existsSync(inRoot(path)))
    .sort();
}

/** The stamp lists the sources of the last good build, and is newer than all of them. */
function isBuilt(files) {
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== files.join('\n')) return false;
  const built = statSync(stamp).mtimeMs;
  return files.every((path) => statSync(inRoot(path)).mtimeMs < built);
}

function build(files) {
  say('building: tsc');
  // The time before the compiler reads, so that an edit made meanwhile counts as newer.
  const started = new Date();
  // What was made from a file that is gone would still be run, tests above all.
  rmSync(inRoot('dist'), { recursive: true, force: true });
  run(process.execPath, [inRoot('node_modules', 'typescript', 'bin', 'tsc'), '-p', inRoot('tsconfig.json')]);
  chmodSync(inRoot('dist', 'bin', 'layerfs.js'), 0o755);
  writeFileSync(stamp, files.join('\n'));
  utimesSync(stamp, started, started);
}

function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/** What a tool prints is about the set-up, so it goes to standard error: `npm start -s --json` stays JSON. */
function run(program, words) {
  const { status, error } = spawnSync(program, words, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error !== undefined) fail(`${basename(program)}: ${error.message}`);
  if (status !== 0) fail(`${[basename(program), ...words].join(' ')} failed`);
}

function say(text) {
  process.stderr.write(`layerfs: ${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}
