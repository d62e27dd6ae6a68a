import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import t, { type Test } from 'tap';
import { bytes, type Bytes } from '../../../lib/bytes.js';
import { upperInUse } from '../../../lib/mount/overlay-probe.js';
import * as sys from '../../../lib/sys/index.js';
import { needsMountNamespace, testDirectory } from '../../support/privilege.js';

const name = bytes;
const skip = needsMountNamespace();

interface Layers {
  readonly base: Bytes;
  readonly target: Bytes;
  readonly upper: number;
  /** Options of an overlay mount of these directories. */
  options(index: string): Bytes;
}

function layers(t: Test): Layers {
  const base = testDirectory(t, { lower: {}, upper: { file: 'x' }, work: {}, target: {} });
  const upper = sys.openat(sys.AT_FDCWD, name(`${base}/upper`), sys.O_PATH | sys.O_DIRECTORY);
  t.teardown(() => sys.close(upper));
  return {
    base,
    target: name(`${base}/target`),
    upper,
    options: (index) =>
      name(`index=${index},lowerdir=${base}/lower,upperdir=${base}/upper,workdir=${base}/work`),
  };
}

/** Everything about the upper that a mount of it could change. */
function state({ base, upper }: Layers): unknown {
  const { mode, uid, gid, mtime, ctime, atime, nlink } = sys.statx(upper, name(''), sys.AT_EMPTY_PATH);
  const attributes = sys.llistxattr(name(`${sys.procPath(upper)}/.`));
  const names = fs.readdirSync(`${base}/upper`);
  return { mode, uid, gid, mtime, ctime, atime, nlink, attributes, names };
}

function probe(t: Test, layers: Layers, want: boolean, message: string): void {
  // Listing a directory sets its access time; the first one does.
  state(layers);
  const before = state(layers);
  t.equal(upperInUse(layers.upper), want, message);
  t.same(state(layers), before, `unchanged: ${message}`);
}

for (const index of ['off', 'on']) {
  t.test(`mounted with index=${index} in another mount namespace`, { skip }, async (t) => {
    const it = layers(t);
    probe(t, it, false, 'before');
    const script = 'mount -t overlay overlay -o "$1" "$2" && echo mounted && cat';
    const args = [
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      script,
      'sh',
      it.options(index),
      it.target,
    ];
    const child = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    t.notOk(fs.readFileSync('/proc/thread-self/mountinfo', 'latin1').includes(it.target), 'not visible here');
    probe(t, it, true, 'while it lives');
    probe(t, it, true, 'asking takes nothing away');
    child.stdin.end();
    await once(child, 'exit');
    // The kernel takes a namespace apart some time after its last process has ended.
    for (let i = 0; i < 100 && upperInUse(it.upper); i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    probe(t, it, false, 'after it');
  });
}

t.test('unmounted lazily, with a file open', { skip }, async (t) => {
  const it = layers(t);
  sys.mount(name('overlay'), it.target, name('overlay'), 0, it.options('off'));
  const fd = fs.openSync(`${it.target}/file`, 'r');
  sys.umount2(it.target, sys.MNT_DETACH);
  probe(t, it, true, 'while the file is open');
  fs.closeSync(fd);
  probe(t, it, false, 'after the file was closed');
});

t.test('mounted nowhere, but alive', { skip }, async (t) => {
  const it = layers(t);
  const context = sys.fsopen(name('overlay'));
  for (const option of it.options('off').split(',')) {
    const equals = option.indexOf('=');
    sys.fsconfigString(context, name(option.slice(0, equals)), name(option.slice(equals + 1)));
  }
  sys.fsconfigCreate(context);
  probe(t, it, true, 'a superblock without a mount');
  const mount = sys.fsmount(context);
  sys.close(context);
  probe(t, it, true, 'a detached mount');
  sys.close(mount);
  probe(t, it, false, 'after it');
});

t.test('seen through a bind mount', { skip }, async (t) => {
  const it = layers(t);
  sys.mount(name('overlay'), it.target, name('overlay'), 0, it.options('off'));
  const bound = sys.openTree(it.upper, name(''), sys.OPEN_TREE_CLONE | sys.AT_EMPTY_PATH);
  const at = name(`${it.base}/lower`);
  sys.moveMount(bound, name(''), sys.AT_FDCWD, at, sys.MOVE_MOUNT_F_EMPTY_PATH);
  try {
    t.ok(upperInUse(bound));
    sys.mountSetattr(bound, name(''), sys.AT_EMPTY_PATH, { attrSet: sys.MOUNT_ATTR_RDONLY });
    t.throws(() => upperInUse(bound), { code: 'EINVAL', syscall: 'fsconfig' }, 'read-only is not "free"');
  } finally {
    sys.close(bound);
    sys.umount2(at, sys.MNT_DETACH);
    sys.umount2(it.target);
  }
});

t.test('a workdir is in use as well', { skip }, async (t) => {
  const it = layers(t);
  sys.mount(name('overlay'), it.target, name('overlay'), 0, it.options('off'));
  const work = sys.openat(sys.AT_FDCWD, name(`${it.base}/work`), sys.O_PATH);
  t.ok(upperInUse(work));
  sys.umount2(it.target);
  t.notOk(upperInUse(work));
  sys.close(work);
});

t.test('a directory that the kernel cannot judge is not called free', { skip }, async (t) => {
  const it = layers(t);
  sys.unshare(sys.CLONE_NEWNS);
  const elsewhere = { code: 'EINVAL', syscall: 'fsconfig FSCONFIG_CMD_CREATE' };
  t.throws(() => upperInUse(it.upper), elsewhere, 'opened in a mount namespace that we have left');
  const file = sys.openat(sys.AT_FDCWD, name(`${it.base}/upper/file`), sys.O_PATH);
  t.throws(() => upperInUse(file), { code: 'EINVAL', syscall: 'fsconfig' }, 'a file');
  sys.close(file);
});
