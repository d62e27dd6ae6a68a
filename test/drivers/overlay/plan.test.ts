/** What the overlay driver asks the kernel for: data, so no kernel is needed. */
import t from 'tap';
import {
  maximumLowers,
  needsRoot,
  planOverlay,
  specOf,
  type StackDirectories,
} from '../../../drivers/overlay/plan.js';
import { impliedMeta } from '../../../lib/layer/tree.js';

const directories: StackDirectories = { root: '/own/root', empty: '/own/empty', work: '/own/work' };
const snapshot = { id: 's', directory: '/snapshots/s' };

type Stack = Parameters<typeof planOverlay>[0];

/** Layers `a`, `b`, …, the lowest first. */
function stackOf(ids: readonly string[], rootImplied = false): Stack {
  const layers = ids.map((id) => ({
    ...{ id, directory: `/layers/${id}`, tree: `/layers/${id}/tree` },
    index: () => {
      throw new Error('a plan reads no index');
    },
  }));
  return { chainId: null, layers, root: impliedMeta, rootImplied };
}

const trees = (...ids: readonly string[]): string[] => ids.map((id) => `/layers/${id}/tree`);
const many = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

t.test('the lowers of views: the topmost first, two at least, and the right root on top', async (t) => {
  const cases = [
    ['no layers', [], true, ['/own/root', '/own/empty']],
    ['one', ['a'], false, ['/own/root', ...trees('a')]],
    ['two', ['a', 'b'], false, trees('b', 'a')],
    [
      'two, and the topmost does not say what the root looks like',
      ['a', 'b'],
      true,
      ['/own/root', ...trees('b', 'a')],
    ],
    ['one layer twice', ['a', 'b', 'a'], false, trees('a', 'b')],
    ['nothing but one layer', ['a', 'a', 'a'], false, [...trees('a'), '/own/empty']],
  ] as const;
  for (const [name, ids, rootImplied, lowers] of cases) {
    const plan = planOverlay(stackOf(ids, rootImplied), null, directories, {});
    t.match(plan, { upper: null, work: null, readOnly: true }, name);
    t.same(plan.lowers, lowers, name);
  }
});

t.test('snapshots write to their upper', async (t) => {
  t.match(planOverlay(stackOf(['a', 'b'], true), snapshot, directories, {}), {
    lowers: trees('b', 'a'),
    upper: '/snapshots/s/upper',
    work: '/snapshots/s/work',
    readOnly: false,
  });
  t.same(planOverlay(stackOf([]), snapshot, directories, {}).lowers, ['/own/empty']);
});

t.test('what untrusted layers must not do: redirect, stand for other data', async (t) => {
  const options = (plan: ReturnType<typeof planOverlay>): object => Object.fromEntries(plan.options);
  const common = { metacopy: 'off', index: 'off', xino: 'auto' };
  t.same(options(planOverlay(stackOf(['a', 'b']), null, directories, {})), {
    ...common,
    redirect_dir: 'nofollow',
  });
  t.same(options(planOverlay(stackOf(['a']), snapshot, directories, {})), { ...common, redirect_dir: 'on' });
  t.same(options(planOverlay(stackOf(['a']), snapshot, directories, { volatile: true })), {
    ...{ ...common, redirect_dir: 'on' },
    volatile: null,
  });
  t.equal('volatile' in options(planOverlay(stackOf(['a']), null, directories, { volatile: true })), false);
});

t.test('as many layers as the kernel takes', async (t) => {
  const most = many(maximumLowers);
  t.equal(planOverlay(stackOf(most), null, directories, {}).lowers.length, maximumLowers);
  const full = planOverlay(stackOf(most, true), null, directories, {});
  t.match(full, { upper: '/own/root', work: '/own/work', readOnly: true }, 'no room for the root below');
  t.equal(full.lowers.length, maximumLowers);
  t.throws(() => planOverlay(stackOf(many(maximumLowers + 1)), null, directories, {}), {
    code: 'UNSUPPORTED',
  });
  const repeated = [...most, ...most];
  t.equal(
    planOverlay(stackOf(repeated), null, directories, {}).lowers.length,
    maximumLowers,
    'each counts once',
  );
});

t.test('when a directory for the root is needed', async (t) => {
  t.equal(needsRoot(stackOf([])), true);
  t.equal(needsRoot(stackOf(['a'])), true);
  t.equal(needsRoot(stackOf(['a', 'b'])), false);
  t.equal(needsRoot(stackOf(['a', 'b'], true)), true);
});

t.test("containerd's form: separators in paths are escaped", async (t) => {
  const odd = { ...directories, root: '/a:b,c\\d' };
  t.same(specOf(planOverlay(stackOf(['x']), null, odd, { nodev: true, nosuid: true })), {
    type: 'overlay',
    source: 'overlay',
    options: [
      'lowerdir=/a\\:b\\,c\\\\d:/layers/x/tree',
      ...['redirect_dir=nofollow', 'metacopy=off', 'index=off', 'xino=auto'],
      ...['ro', 'nodev', 'nosuid'],
    ],
  });
  t.same(specOf(planOverlay(stackOf(['x', 'y']), snapshot, directories, { volatile: true })).options, [
    'lowerdir=/layers/y/tree:/layers/x/tree',
    ...['upperdir=/snapshots/s/upper', 'workdir=/snapshots/s/work'],
    ...['redirect_dir=on', 'metacopy=off', 'index=off', 'xino=auto', 'volatile'],
  ]);
});
