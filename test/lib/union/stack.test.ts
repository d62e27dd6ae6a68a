import t from 'tap';
import { rootPath, type LayerPath } from '../../../lib/bytes.js';
import { Stack } from '../../../lib/union/stack.js';
import {
  directory,
  file,
  hardlink,
  indexOf,
  lowerHardlink,
  symlink,
  whiteout,
  type Plan,
} from '../../support/layer-nodes.js';

/** Bottom first. */
async function stackOf(...layers: Record<string, Plan>[]): Promise<Stack> {
  return new Stack(await Promise.all(layers.map((plans) => indexOf(plans))));
}

/** `path` of everything that shows, with `@layer` where it comes from. */
function shown(stack: Stack): string[] {
  return Array.from(stack.walk(), ({ path, entry }) => `${path}@${entry.layer}`);
}

const dir = directory();
const bottom = { '': dir, d: dir, 'd/x': file(), 'd/y': file(), f: file() };

t.test('what shows', async (t) => {
  const cases: Record<string, { layers: Record<string, Plan>[]; shows: string[] }> = {
    'one layer': { layers: [bottom], shows: ['@0', 'd@0', 'd/x@0', 'd/y@0', 'f@0'] },
    'the same layer twice': {
      layers: [bottom, bottom],
      shows: ['@1', 'd@1', 'd/x@1', 'd/y@1', 'f@1'],
    },
    'directories are merged': {
      layers: [bottom, { 'd/a': file(), 'd/x': file() }],
      shows: ['@0', 'd@0', 'd/a@1', 'd/x@1', 'd/y@0', 'f@0'],
    },
    'a whiteout hides a file': {
      layers: [bottom, { 'd/x': whiteout() }],
      shows: ['@0', 'd@0', 'd/y@0', 'f@0'],
    },
    'a whiteout hides a directory and all in it': {
      layers: [bottom, { d: whiteout() }],
      shows: ['@0', 'f@0'],
    },
    'a whiteout of nothing': {
      layers: [bottom, { z: whiteout() }],
      shows: ['@0', 'd@0', 'd/x@0', 'd/y@0', 'f@0'],
    },
    'a whiteout in the lowest layer': { layers: [{ a: whiteout(), b: file() }], shows: ['@0', 'b@0'] },
    'a file hides a directory': { layers: [bottom, { d: file() }], shows: ['@0', 'd@1', 'f@0'] },
    'a directory hides a file, and starts empty': {
      layers: [bottom, { f: dir, 'f/z': file() }],
      shows: ['@0', 'd@0', 'd/x@0', 'd/y@0', 'f@1', 'f/z@1'],
    },
    'a symlink hides a directory': { layers: [bottom, { d: symlink('f') }], shows: ['@0', 'd@1', 'f@0'] },
    'a file between two directories keeps them apart': {
      layers: [bottom, { d: file() }, { d: dir, 'd/z': file() }],
      shows: ['@0', 'd@2', 'd/z@2', 'f@0'],
    },
    'what a whiteout hid may come back': {
      layers: [bottom, { d: whiteout() }, { d: dir, 'd/x': file() }],
      shows: ['@0', 'd@2', 'd/x@2', 'f@0'],
    },
    'an opaque directory hides what is below, not its own': {
      layers: [bottom, { d: directory({ opaque: true }), 'd/x': file() }],
      shows: ['@0', 'd@1', 'd/x@1', 'f@0'],
    },
    'an opaque directory is filled again by a later layer (docker#25244)': {
      layers: [bottom, { d: directory({ opaque: true }) }, { 'd/z': file() }],
      shows: ['@0', 'd@1', 'd/z@2', 'f@0'],
    },
    'an opaque directory above hides deeper ones': {
      layers: [{ 'd/e/f': file() }, { d: directory({ opaque: true }) }, { 'd/e/g': file() }],
      shows: ['@2', 'd@1', 'd/e@2', 'd/e/g@2'],
    },
    'an opaque root': {
      layers: [bottom, { '': directory({ opaque: true }), z: file() }],
      shows: ['@1', 'z@1'],
    },
    'a plain whiteout beside an opaque mark (umoci 0.5.0)': {
      layers: [bottom, { d: directory({ opaque: true }), 'd/x': whiteout() }],
      shows: ['@0', 'd@1', 'f@0'],
    },
    'no layers': { layers: [], shows: [] },
  };
  for (const [name, { layers, shows }] of Object.entries(cases)) {
    t.strictSame(shown(await stackOf(...layers)), shows, name);
  }
});

t.test('attributes of directories', async (t) => {
  const mode = (stack: Stack, path: string): string => {
    const entry = stack.lookup(path as LayerPath)!;
    return stack.layers[entry.layer]!.mode(entry.record).toString(8);
  };
  const secret = directory({ mode: 0o700 });

  await t.test('are the topmost layer’s', async (t) => {
    const stack = await stackOf({ d: dir }, { d: secret });
    t.equal(mode(stack, 'd'), '700');
  });

  await t.test('come from below where a directory is implied', async (t) => {
    const stack = await stackOf({ '': secret, d: secret }, { 'd/x': file() }, { 'd/y': file() });
    t.equal(mode(stack, 'd'), '700');
    t.equal(mode(stack, ''), '700');
  });

  await t.test('come from below an opaque mark that has no directory of its own', async (t) => {
    const implied = directory({ opaque: true, implied: true });
    const stack = await stackOf({ d: secret, 'd/x': file() }, { d: implied, 'd/y': file() });
    t.equal(mode(stack, 'd'), '700');
    t.strictSame(
      stack.list('d' as LayerPath)?.map(({ name }) => name),
      ['y'],
    );
  });

  await t.test('do not come from a directory that is hidden', async (t) => {
    for (const between of [whiteout(), file()]) {
      const stack = await stackOf({ d: secret }, { d: between }, { 'd/x': file() });
      t.equal(mode(stack, 'd'), '755');
    }
    const opaque = await stackOf({ 'a/d': secret }, { a: directory({ opaque: true }) }, { 'a/d/x': file() });
    t.equal(mode(opaque, 'a/d'), '755');
  });

  await t.test('are the defaults where no layer has any', async (t) => {
    const stack = await stackOf({ 'd/x': file() }, { 'd/y': file() });
    const { layer, record } = stack.lookup('d' as LayerPath)!;
    t.strictSame(stack.layers[layer]!.meta(record), {
      mode: 0o755,
      uid: 0,
      gid: 0,
      mtime: 0n,
      xattrs: new Map(),
    });
  });
});

t.test('hardlinks to files of lower layers', async (t) => {
  const kindAt = (stack: Stack, path: string): string => {
    const entry = stack.lookup(path as LayerPath)!;
    return `${stack.layers[entry.layer]!.path(entry.record)}@${entry.layer}`;
  };

  await t.test('are the lower file', async (t) => {
    t.equal(kindAt(await stackOf(bottom, { l: lowerHardlink('d/x') }), 'l'), 'd/x@0');
  });
  await t.test('stay what they were when the file is replaced by their own layer', async (t) => {
    t.equal(kindAt(await stackOf(bottom, { f: whiteout(), l: lowerHardlink('f') }), 'l'), 'f@0');
    t.equal(kindAt(await stackOf(bottom, { f: file(), l: lowerHardlink('f') }), 'l'), 'f@0');
  });
  await t.test('lead through symlinked directories of the layers below', async (t) => {
    const stack = await stackOf(bottom, { s: symlink('/d') }, { l: lowerHardlink('s/x') });
    t.equal(kindAt(stack, 'l'), 'd/x@0');
  });
  await t.test('link a symlink itself', async (t) => {
    const stack = await stackOf({ ...bottom, s: symlink('f') }, { l: lowerHardlink('s') });
    t.equal(kindAt(stack, 'l'), 's@0');
  });
  await t.test('lead from one to the next, and at last to a hardlink’s inode', async (t) => {
    const links: Record<string, Plan>[] = [{ f: file(), l0: hardlink('f') }];
    for (let i = 1; i <= 1000; i++) links.push({ [`l${i}`]: lowerHardlink(`l${i - 1}`) });
    t.equal(kindAt(await stackOf(...links), 'l1000'), 'f@0');
  });
  await t.test('to nothing, or to a directory, are an error and never left out', async (t) => {
    for (const target of ['nothing', 'd', 'd/x/below a file', 'f2', 'loop/x']) {
      await t.rejects(
        stackOf({ ...bottom, loop: symlink('loop') }, { f2: file(), l: lowerHardlink(target) }),
        { code: 'ENTRY_INVALID', detail: { layer: 1, path: 'l', target } },
        target,
      );
    }
    await t.rejects(stackOf({ l: lowerHardlink('f') }), { code: 'ENTRY_INVALID' }, 'nothing is below');
  });
  await t.test('through each other do not take twice the time with each layer', async (t) => {
    const layers: Record<string, Plan>[] = [{ l0: symlink('.') }];
    for (let i = 1; i <= 200; i++) layers.push({ [`l${i}`]: lowerHardlink(`l${i - 1}/l${i - 1}/l${i - 1}`) });
    t.equal(kindAt(await stackOf(...layers), 'l200'), 'l0@0');
  });
});

t.test('a path is taken as it stands', async (t) => {
  const stack = await stackOf({ ...bottom, s: symlink('d') });
  t.equal(stack.lookup('s/x' as LayerPath), null);
  t.equal(stack.lookup('f/x' as LayerPath), null);
  t.equal(stack.list('s' as LayerPath), null);
  t.equal(stack.list('f' as LayerPath), null);
  t.equal(stack.list('z' as LayerPath), null);
  t.equal(stack.lookup(rootPath), stack.root);
});

t.test('a listing is the same each time', async (t) => {
  const stack = await stackOf(bottom, { 'd/a': file(), 'd/\xff': file() }, { 'd/y': whiteout() });
  const names = (): string[] => stack.list('d' as LayerPath)!.map(({ name }) => name);
  t.strictSame(names(), ['a', 'x', '\xff']);
  t.strictSame(names(), names());
});
