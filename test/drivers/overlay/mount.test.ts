/** Each way in which a plan can be given to a kernel, whatever this kernel would be given by itself. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { detectMethod, mountOverlay, type Method } from '../../../drivers/overlay/mount.js';
import type { OverlayPlan } from '../../../drivers/overlay/plan.js';
import { removeTree } from '../../../lib/fs/remove.js';
import { close, procPath } from '../../../lib/sys/index.js';
import { needsRoot } from '../../support/privilege.js';
import { makeScratchDirectory } from '../../support/scratch.js';

/** From the newest kernels to the oldest. */
const methods: readonly Method[] = ['descriptors', 'strings', 'page'];
const skip =
  needsRoot ||
  (readFileSync('/proc/filesystems', 'latin1').includes('\toverlay\n') ? false : 'needs overlayfs');

function lowers(root: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const path = join(root, `lower ${i}:,\\`);
    mkdirSync(path);
    writeFileSync(join(path, `f${i}`), String(i));
    return path;
  });
}

for (const method of methods) {
  t.test(method, { skip }, async (t) => {
    const usable = methods.indexOf(method) >= methods.indexOf(detectMethod());
    if (!usable) {
      t.pass('', { skip: 'this kernel is too old for it' });
      return;
    }
    const root = makeScratchDirectory();
    t.teardown(() => removeTree(root));
    const at = join(root, 'at');
    for (const name of ['at', 'upper', 'work']) mkdirSync(join(root, name));
    // A page holds some 200.
    const view: OverlayPlan = {
      ...{ lowers: lowers(root, 150), upper: null, work: null, readOnly: true },
      ...{ options: [['redirect_dir', 'nofollow']], flags: { nodev: true, nosuid: true } },
    };
    const fd = mountOverlay(view, 'label', at, method);
    t.equal(readdirSync(procPath(fd)).length, 150);
    t.throws(() => writeFileSync(`${procPath(fd)}/x`, ''), { code: 'EROFS' });
    close(fd);

    const [upper, work] = [join(root, 'upper'), join(root, 'work')];
    const snapshot = { ...view, upper, work, readOnly: false, flags: { volatile: true } };
    const writable = mountOverlay({ ...snapshot, options: [['volatile', null]] }, 'label', at, method);
    writeFileSync(`${procPath(writable)}/f0`, 'new');
    close(writable);
    t.equal(readFileSync(join(upper, 'f0'), 'latin1'), 'new');
    t.same(readdirSync(at), [], 'nothing stays mounted');

    const impossible = { ...snapshot, work: upper, options: [] };
    t.throws(() => mountOverlay(impossible, 'label', at, method), {
      code: 'MOUNT_FAILED',
      message: /overlay/,
    });
    t.same(readdirSync(at), []);
    t.throws(() => mountOverlay({ ...view, lowers: [join(root, 'none')] }, 'label', at, method), {
      code: 'MOUNT_FAILED',
      message: /ENOENT/,
    });
  });
}
