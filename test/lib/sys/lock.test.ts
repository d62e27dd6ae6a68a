import t from 'tap';
import { bytes } from '../../../lib/bytes.js';
import * as sys from '../../../lib/sys/index.js';
import { testDirectory } from '../../support/privilege.js';

t.test('a lock belongs to the open file, and goes with its last fd', async (t) => {
  const path = bytes(`${testDirectory(t, { lock: '' })}/lock`);
  const open = (): number => sys.openat(sys.AT_FDCWD, path, 0);
  const [a, b] = [open(), open()];
  sys.flock(a, sys.LOCK_SH);
  t.ok(sys.tryFlock(b, sys.LOCK_SH), 'shared with shared');
  t.notOk(sys.tryFlock(b, sys.LOCK_EX), 'not exclusive with shared');
  sys.close(a);
  t.ok(sys.tryFlock(b, sys.LOCK_EX), 'free after close');
  const c = open();
  t.notOk(sys.tryFlock(c, sys.LOCK_SH));
  sys.flock(b, sys.LOCK_UN);
  t.ok(sys.tryFlock(c, sys.LOCK_SH));
  [b, c].forEach(sys.close);
});

t.test('failures', async (t) => {
  const bad = { code: 'EBADF', errno: -9, syscall: 'flock' };
  t.throws(() => sys.flock(-1, sys.LOCK_EX), bad);
  t.throws(() => sys.tryFlock(-1, sys.LOCK_EX), bad, 'only "would block" is an answer');
});
