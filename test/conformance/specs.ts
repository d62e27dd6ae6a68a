/** A mount as plain data, for a runtime that performs it in its own mount namespace. */
import { join } from 'node:path';
import type { Test } from 'tap';
import { drivers, isDriverName } from '../../drivers/index.js';
import { bytes, type HostPath } from '../../lib/bytes.js';
import type { Digest } from '../../lib/digest.js';
import type { Driver, LayerStack } from '../../lib/driver.js';
import { ChainStore } from '../../lib/layer/chain-store.js';
import { LayerStore } from '../../lib/layer/layer-store.js';
import type { MountSpec } from '../../lib/mount/spec.js';
import {
  MNT_DETACH,
  MS_BIND,
  MS_NODEV,
  MS_NOSUID,
  MS_RDONLY,
  MS_REC,
  MS_REMOUNT,
  mount,
  umount2,
} from '../../lib/sys/index.js';
import { directory, file, whiteout, type Layer } from '../support/tarball.js';
import { readTree, treeText } from '../support/tree.js';
import type { Subject } from './subject.js';
import { Workspace } from './workspace.js';

const plan: Layer[] = [
  [directory('', { mode: 0o711 }), directory('d'), file('d/a', 'a'), file('d/b', 'b')],
  [whiteout('d/a'), file('c', 'c')],
];

const flagsOf: Readonly<Record<string, number>> = {
  ro: MS_RDONLY,
  rw: 0,
  nodev: MS_NODEV,
  nosuid: MS_NOSUID,
  bind: MS_BIND,
  rbind: MS_BIND | MS_REC,
};

/** As mount(8) and runc do it. */
function perform({ type, source, options }: MountSpec, at: HostPath): void {
  let flags = 0;
  const data = [];
  for (const option of options) {
    const flag = flagsOf[option];
    if (flag === undefined) data.push(option);
    else flags |= flag;
  }
  mount(bytes(source), bytes(at), bytes(type), flags, bytes(data.join(',')));
  // The flags of a bind mount count only when it is there.
  if ((flags & MS_BIND) !== 0) mount(null, bytes(at), null, flags | MS_REMOUNT);
}

interface Parts {
  readonly driver: Driver;
  readonly stack: LayerStack;
}

async function partsOf({ driver: name }: Subject, { store }: Workspace, image: string): Promise<Parts> {
  if (!isDriverName(name)) throw new Error(`no driver ${name}`);
  const driver = await drivers[name]({
    directory: join(store.root, name),
    durable: false,
    withTemporary: async () => {
      throw new Error('the stack has been prepared');
    },
  });
  const layers = new LayerStore(join(store.root, 'layers'));
  const options = { durable: false, temporaryDirectory: join(store.root, 'tmp') };
  const chains = new ChainStore(join(store.root, 'chains'), layers, options);
  const { config } = await store.inspect(image);
  const { rootfs } = config as { rootfs: { diff_ids: Digest[] } };
  return { driver, stack: await chains.stack(rootfs.diff_ids) };
}

export async function specs(t: Test, subject: Subject): Promise<void> {
  for (const place of ['store', 'a store: with, odd\\names']) {
    await t.test(`performed by somebody else, in "${place}"`, async (t) => {
      await using workspace = await Workspace.create(subject, place);
      const image = await workspace.importImage(...plan);
      const expected = treeText(await workspace.view(image));
      await workspace.snapshot(image, 's');
      const { driver, stack } = await partsOf(subject, workspace, image);
      const snapshot = { id: 's', directory: join(workspace.store.root, 'snapshots', 's') };
      for (const [what, specs, readOnly] of [
        ['a view', driver.describe(stack, null, { nodev: true, nosuid: true }), true],
        ['a snapshot', driver.describe(stack, snapshot, {}), false],
      ] as const) {
        t.match(specs, [{ type: String, source: String }], what);
        const at = workspace.newDirectory();
        for (const spec of specs) perform(spec, at);
        try {
          t.equal(treeText(readTree(at)), expected, what);
          const isReadOnly = specs.some(({ options }) => options.includes('ro'));
          t.equal(isReadOnly, readOnly);
        } finally {
          umount2(bytes(at), MNT_DETACH);
        }
      }
    });
  }
}
