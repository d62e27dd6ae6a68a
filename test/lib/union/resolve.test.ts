import t from 'tap';
import type { LayerPath } from '../../../lib/bytes.js';
import { limits } from '../../../lib/limits.js';
import { Stack } from '../../../lib/union/stack.js';
import { directory, file, hardlink, indexOf, symlink, type Plan } from '../../support/layer-nodes.js';

const dir = directory();
const lower = await indexOf({
  '': dir,
  usr: dir,
  'usr/bin': dir,
  'usr/bin/busybox': file(),
  'usr/bin/sh': symlink('busybox'),
  'usr/bin/awk': symlink('/etc/alternatives/awk'),
  bin: symlink('usr/bin'),
  etc: dir,
  'etc/alternatives': dir,
  'etc/alternatives/awk': symlink('../../usr/bin/busybox'),
  'etc/escape': symlink('../../../../../etc'),
  'etc/slashes': symlink('//usr///bin/./'),
  'etc/up': symlink('..'),
  'etc/dangling': symlink('nothing/there'),
  'etc/missing': symlink('/usr/new'),
  'etc/hard': hardlink('usr/bin/awk'),
  'etc/root': symlink('/'),
  loop: symlink('loop'),
  ping: symlink('pong'),
  pong: symlink('ping'),
});
const upper = await indexOf({ etc: dir, 'etc/upper': symlink('/usr/bin/upper'), 'usr/bin/upper': file() });
const stack = new Stack([lower, upper]);

t.test('resolve', async (t) => {
  const cases: [path: string, whole: string | null, lastKept?: string | null][] = [
    ['', ''],
    ['usr/bin', 'usr/bin'],
    ['bin', 'usr/bin', 'bin'],
    ['bin/busybox', 'usr/bin/busybox'],
    ['bin/sh', 'usr/bin/busybox', 'usr/bin/sh'],
    ['bin/awk', 'usr/bin/busybox', 'usr/bin/awk'],
    ['bin/new', 'usr/bin/new'],
    ['bin/upper', 'usr/bin/upper'],
    ['etc/upper', 'usr/bin/upper', 'etc/upper'],
    ['etc/escape', 'etc', 'etc/escape'],
    ['etc/escape/up', '', 'etc/up'],
    ['etc/slashes/sh', 'usr/bin/busybox', 'usr/bin/sh'],
    ['etc/up/etc/up/etc', 'etc'],
    ['etc/hard', 'usr/bin/busybox', 'etc/hard'],
    ['etc/root', '', 'etc/root'],
    ['etc/missing', 'usr/new', 'etc/missing'],
    ['etc/dangling', null, 'etc/dangling'],
    ['nothing', 'nothing'],
    ['nothing/below', null],
    ['usr/bin/busybox/below', null],
    ['loop', null, 'loop'],
    ['loop/below', null],
    ['ping', null, 'ping'],
  ];
  for (const [path, whole, lastKept = whole] of cases) {
    t.equal(stack.resolve(path as LayerPath), whole, `${path}, all links followed`);
    t.equal(stack.resolve(path as LayerPath, { followLast: false }), lastKept, `${path}, but for the last`);
  }
});

t.test('lookup with follow', async (t) => {
  const found = (path: string): string | null => {
    const entry = stack.lookup(path as LayerPath, { follow: true });
    return entry === null ? null : stack.layers[entry.layer]!.path(entry.record);
  };
  t.equal(found('bin/awk'), 'usr/bin/busybox');
  t.equal(found('etc/upper'), 'usr/bin/upper');
  t.equal(found(''), '');
  t.equal(found('bin/new'), null);
  t.equal(found('loop'), null);
});

t.test('as many symlinks as the kernel follows, and no more', async (t) => {
  const plans: Record<string, Plan> = { s0: file() };
  for (let i = 1; i <= limits.symlinksFollowed + 1; i++) plans[`s${i}`] = symlink(`s${i - 1}`);
  const chain = new Stack([await indexOf(plans)]);
  t.equal(chain.resolve('s40' as LayerPath), 's0');
  t.equal(chain.resolve('s41' as LayerPath), null);
});

t.test('a stack without layers has no paths', async (t) => {
  const empty = new Stack([]);
  t.equal(empty.root, null);
  t.equal(empty.resolve('a' as LayerPath), null);
  t.equal(empty.lookup('a' as LayerPath, { follow: true }), null);
  t.equal(empty.lookup('' as LayerPath), null);
});
