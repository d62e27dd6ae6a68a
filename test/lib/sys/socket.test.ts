import fs from 'node:fs';
import t from 'tap';
import { bytes } from '../../../lib/bytes.js';
import * as sys from '../../../lib/sys/index.js';
import { testDirectory } from '../../support/privilege.js';

t.test('open files travel with a message', async (t) => {
  const path = testDirectory(t, { one: 'first', two: 'second' });
  const [a, b] = sys.socketpair();
  const files = ['one', 'two'].map((file) => sys.openat(sys.AT_FDCWD, bytes(`${path}/${file}`), 0));
  t.equal(sys.sendFds(a, Buffer.from('hello'), files), 5);
  files.forEach(sys.close);
  const { data, fds } = sys.recvFds(b);
  t.equal(data.toString(), 'hello');
  t.same(
    fds.map((fd) => fs.readFileSync(fd, 'utf8')),
    ['first', 'second'],
  );
  for (const fd of fds)
    t.match(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'), /flags:\s+02/, 'closed on exec');
  fds.forEach(sys.close);
  sys.sendFds(a, Buffer.from('none'), []);
  t.match(sys.recvFds(b), { data: Buffer.from('none'), fds: [] });
  sys.close(a);
  t.equal(sys.recvFds(b).data.length, 0, 'the peer is gone');
  t.throws(() => sys.sendFds(b, Buffer.from('x'), []), { code: 'EPIPE', errno: -32, syscall: 'sendmsg' });
  sys.close(b);
});

t.test('as many fds as the kernel takes, and one more', async (t) => {
  const [a, b] = sys.socketpair();
  t.teardown(() => [a, b].forEach(sys.close));
  const many = new Array<number>(253).fill(a);
  sys.sendFds(a, Buffer.from('x'), many);
  const { fds } = sys.recvFds(b);
  t.equal(fds.length, 253);
  fds.forEach(sys.close);
  const tooMany = { code: 'EINVAL', errno: -22, syscall: 'sendmsg' };
  t.throws(() => sys.sendFds(a, Buffer.from('x'), [...many, a]), tooMany);
});

t.test('failures', async (t) => {
  t.throws(() => sys.recvFds(-1), { code: 'EBADF', errno: -9, syscall: 'recvmsg' });
  t.throws(() => sys.socketpair(99), { code: 'EINVAL', errno: -22, syscall: 'socketpair' });
});
