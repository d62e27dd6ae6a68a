/** What is mounted is known, wherever and by whomever it was mounted; and no snapshot is mounted twice. */
import { closeSync, openSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { bytes } from '../../lib/bytes.js';
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW, statx, umount2 } from '../../lib/sys/index.js';
import { eventually } from '../support/eventually.js';
import { StoreProcess, type Call } from '../support/store-process.js';
import { directory, file } from '../support/tarball.js';
import type { Subject } from './subject.js';
import { Workspace } from './workspace.js';

const inUse = { code: 'IN_USE' };

export async function uses(t: Test, subject: Subject): Promise<void> {
  await using workspace = await Workspace.create(subject);
  const { store } = workspace;
  const image = await workspace.importImage([directory('d'), file('d/f', 'text')], [file('g')]);
  const call = (method: Call['method'], ...args: readonly unknown[]): Call => ({
    ...{ root: store.root, driver: subject.driver },
    ...{ method, args },
  });
  const mountAgain = (snapshot: string): Promise<unknown> => workspace.snapshot(null, snapshot);
  /** Removed from the kernel's side, without the store's knowledge. */
  const unmountBehind = (at: string): void => umount2(bytes(at), 0);
  const records = (): string[] => readdirSync(join(store.root, 'uses'));

  await t.test('a snapshot that is mounted is mounted nowhere else, and not removed', async (t) => {
    const { at } = await workspace.mount(image, { snapshot: 'one' });
    const second = await subject.open(store.root);
    await t.rejects(store.mount(null, workspace.newDirectory(), { snapshot: 'one' }), inUse);
    await t.rejects(
      second.mount(image, workspace.newDirectory(), { snapshot: 'one' }),
      inUse,
      'another object',
    );
    await t.rejects(store.removeSnapshots(['one']), inUse);
    await second.close();
    await using other = StoreProcess.call(call('mount', null, workspace.newDirectory(), { snapshot: 'one' }));
    t.match(await other.outcome(), inUse, 'another process');
    t.match(await store.mounts(), [{ snapshot: 'one', mountpoint: at, pid: process.pid, elsewhere: false }]);
    await store.unmount(at);
    await mountAgain('one');
  });

  await t.test('two mounts of one snapshot at the same time: one of them fails', async (t) => {
    await workspace.snapshot(image, 'race');
    const places = Array.from({ length: 6 }, () => workspace.newDirectory());
    const outcomes = await Promise.allSettled(
      places.map((at) => store.mount(null, at, { snapshot: 'race' })),
    );
    t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const outcome of outcomes) if (outcome.status === 'rejected') t.match(outcome.reason, inUse);
    await store.unmount('race');
  });

  await t.test('from another mount namespace: a copy of this one', async (t) => {
    await workspace.mount(image, { snapshot: 'here' });
    const args = [null, workspace.newDirectory(), { snapshot: 'here' }];
    await using other = StoreProcess.callInNamespace(call('mount', ...args));
    t.match(await other.outcome(), inUse);
    await using remover = StoreProcess.callInNamespace(call('removeSnapshots', ['here']));
    t.match(await remover.outcome(), inUse);
    await store.unmount('here');
    await t.rejects(mountAgain('here'), inUse, 'the copies of the mount are still in the other namespaces');
    await other.kill('SIGKILL');
    await remover.kill('SIGKILL');
    await t.resolves(
      eventually(() => mountAgain('here')),
      'until those have gone',
    );
  });

  await t.test('mounted in another mount namespace only', async (t) => {
    const args = [image, workspace.newDirectory(), { snapshot: 'there' }];
    await using other = StoreProcess.callInNamespace(call('mount', ...args));
    t.match(await other.outcome(), { result: { snapshot: 'there' } });
    t.match(await store.mounts(), [{ snapshot: 'there', elsewhere: true }]);
    await t.rejects(mountAgain('there'), inUse);
    await t.rejects(store.removeSnapshots(['there']), inUse);
    await t.rejects(store.removeSnapshots(['there'], { force: true }), inUse, 'force unmounts only here');
    await t.rejects(store.unmount('there'), { code: 'MOUNT_NOT_FOUND' });
    await other.kill('SIGKILL');
    await t.resolves(
      eventually(() => mountAgain('there')),
      'its namespace has gone',
    );
    t.same(await store.mounts(), []);
  });

  await t.test('unmounted here, still mounted in a copy of this namespace', async (t) => {
    await workspace.mount(image, { snapshot: 'copied' });
    await using keeper = await StoreProcess.keepNamespace();
    await store.unmount('copied');
    await t.rejects(mountAgain('copied'), inUse);
    await t.rejects(store.removeSnapshots(['copied']), inUse);
    await keeper.kill('SIGKILL');
    await t.resolves(eventually(() => mountAgain('copied')));
  });

  await t.test('unmounted lazily while a file is open', async (t) => {
    const mounted = await workspace.mount(image, { snapshot: 'lazy' });
    const fd = openSync(mounted.path('g'), 'r+');
    await t.rejects(store.unmount(mounted.at), inUse, 'not without lazy');
    await store.unmount(mounted.at, { lazy: true });
    t.same(readdirSync(mounted.at), [], 'out of sight');
    const [info] = await store.snapshots();
    t.type(info?.form, 'string');
    const isUpper = (await store.snapshots()).find(({ id }) => id === 'lazy')?.form === 'upper';
    if (isUpper) {
      await t.rejects(mountAgain('lazy'), inUse);
      await t.rejects(store.removeSnapshots(['lazy']), inUse);
    } else {
      // Two mounts of one directory are nothing that the kernel minds.
      await t.resolves(mountAgain('lazy'));
    }
    closeSync(fd);
    await t.resolves(
      eventually(() => mountAgain('lazy')),
      'the file is closed',
    );
  });

  await t.test('the process that mounted it was killed', async (t) => {
    const at = workspace.newDirectory();
    await using other = StoreProcess.call(call('mount', image, at, { snapshot: 'orphan' }));
    t.match(await other.outcome(), { result: { snapshot: 'orphan' } });
    await other.kill('SIGKILL');
    t.equal(readFileSync(join(at, 'd', 'f'), 'latin1'), 'text', 'the mount is there');
    t.match(await store.mounts(), [{ snapshot: 'orphan', mountpoint: at, elsewhere: false }]);
    await t.rejects(mountAgain('orphan'), inUse);
    await store.unmount('orphan');
    await t.resolves(mountAgain('orphan'));
  });

  await t.test('unmounted by somebody else: the record goes when it is next looked at', async (t) => {
    const { at } = await workspace.mount(image, { snapshot: 'behind' });
    unmountBehind(at);
    t.same(await store.mounts(), []);
    t.same(records(), []);
    await t.resolves(mountAgain('behind'));
  });

  await t.test('after a reboot nothing is mounted, whatever ids are in use again', async (t) => {
    const { at } = await workspace.mount(image, { snapshot: 'rebooted' });
    unmountBehind(at);
    // What the record of another boot says may be true of some mount of this one.
    const view = await workspace.mount(image, { readOnly: true });
    const mountId = statx(AT_FDCWD, bytes(view.at), AT_SYMLINK_NOFOLLOW).mountId.toString();
    const [old] = records().filter((name) =>
      readFileSync(join(store.root, 'uses', name), 'latin1').includes('rebooted'),
    );
    const path = join(store.root, 'uses', old ?? '');
    const record = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    writeFileSync(path, JSON.stringify({ ...record, mountId }));
    await t.rejects(mountAgain('rebooted'), inUse, 'it would count if it were of this boot');
    writeFileSync(
      path,
      JSON.stringify({ ...record, mountId, bootId: '00000000-0000-4000-8000-000000000000' }),
    );
    await t.resolves(mountAgain('rebooted'));
    t.match(await store.mounts(), [{ mountpoint: view.at }]);
    await store.unmount(view.at);
  });

  await t.test('half a record, as a machine that stops leaves it', async (t) => {
    for (const text of ['', '{"version":1,"id"']) {
      writeFileSync(join(store.root, 'uses', '01234567-89ab-4cde-8f01-23456789abcd.json'), text);
      t.same(await store.mounts(), []);
      t.same(records(), []);
    }
  });

  await t.test('a mount on top of another is unmounted first', async (t) => {
    const { at } = await workspace.mount(image, { readOnly: true });
    await t.rejects(store.mount(image, at), { code: 'MOUNTPOINT_BUSY' });
    const inside = join(at, 'd');
    await store.mount(image, inside, { readOnly: true });
    await t.rejects(store.unmount(at), inUse);
    t.same((await store.unmountAll()).map(({ mountpoint }) => mountpoint).sort(), [at, inside].sort());
    t.same(await store.mounts(), []);
  });

  await t.test('removed by force: unmounted first', async (t) => {
    const { at } = await workspace.mount(image, { snapshot: 'forced' });
    await store.removeSnapshots(['forced'], { force: true });
    t.same(readdirSync(at), []);
    t.equal(
      (await store.snapshots()).some(({ id }) => id === 'forced'),
      false,
    );
  });
}
