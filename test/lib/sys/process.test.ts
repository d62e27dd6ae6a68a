import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import t from 'tap';
import { bytes } from '../../../lib/bytes.js';
import * as sys from '../../../lib/sys/index.js';
import { needsMountNamespace } from '../../support/privilege.js';

t.test('poll', async (t) => {
  const [a, b] = sys.socketpair();
  t.same(sys.poll([{ fd: b, events: sys.POLLIN }], 0), [0], 'nothing to read');
  const started = performance.now();
  t.same(sys.poll([{ fd: b, events: sys.POLLIN }], 30), [0]);
  t.ok(performance.now() - started >= 29, 'waits in milliseconds');
  sys.sendFds(a, Buffer.from('x'), []);
  const requests = [
    { fd: a, events: sys.POLLIN | sys.POLLOUT },
    { fd: b, events: sys.POLLIN },
  ];
  t.same(sys.poll(requests, -1), [sys.POLLOUT, sys.POLLIN]);
  sys.close(a);
  t.ok((sys.poll([{ fd: b, events: 0 }], -1)[0] ?? 0) & sys.POLLHUP);
  sys.close(b);
  t.same(sys.poll([{ fd: b, events: 0 }], -1), [sys.POLLNVAL]);
});

t.test('ioctl', async (t) => {
  const fd = sys.openat(sys.AT_FDCWD, bytes('/proc/self/ns/mnt'), 0);
  t.teardown(() => sys.close(fd));
  t.equal(sys.ioctl(fd, sys.NS_GET_NSTYPE), sys.CLONE_NEWNS, 'a number back');
  const [a, b] = sys.socketpair();
  sys.sendFds(a, Buffer.from('12345'), []);
  const FIONREAD = 0x541b;
  const answer = Buffer.alloc(4);
  sys.ioctl(b, FIONREAD, answer);
  t.equal(answer.readInt32LE(), 5, 'a buffer filled');
  t.throws(() => sys.ioctl(b, sys.NS_GET_NSTYPE), { code: 'ENOTTY', errno: -25, syscall: 'ioctl' });
  [a, b].forEach(sys.close);
});

const inode = (path: string): string => fs.readlinkSync(path);

t.test('unshare moves this thread alone', { skip: needsMountNamespace() }, async (t) => {
  const before = inode('/proc/thread-self/ns/mnt');
  sys.unshare(sys.CLONE_NEWNS);
  t.not(inode('/proc/thread-self/ns/mnt'), before);
  const others = fs.readdirSync('/proc/self/task').filter((thread) => thread !== String(process.pid));
  t.ok(others.length > 0);
  for (const thread of others)
    t.not(inode(`/proc/self/task/${thread}/ns/mnt`), inode('/proc/thread-self/ns/mnt'));
  t.throws(() => sys.unshare(sys.CLONE_NEWUSER), { code: 'EINVAL', errno: -22, syscall: 'unshare' });
});

t.test('setns joins the mount namespace of another process', { skip: needsMountNamespace() }, async (t) => {
  const child = spawn('unshare', ['--mount', 'sh', '-c', 'echo ready && cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const fd = sys.openat(sys.AT_FDCWD, bytes(`/proc/${child.pid ?? 0}/ns/mnt`), 0);
  t.teardown(() => sys.close(fd));
  const wanted = inode(`/proc/${child.pid ?? 0}/ns/mnt`);
  sys.unshare(sys.CLONE_FS);
  sys.setns(fd, sys.CLONE_NEWNS);
  t.equal(inode('/proc/thread-self/ns/mnt'), wanted);
  child.stdin.end();
  await once(child, 'exit');
  t.throws(() => sys.setns(fd, sys.CLONE_NEWUSER), { code: 'EINVAL', errno: -22, syscall: 'setns' });
});
