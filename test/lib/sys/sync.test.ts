import t from 'tap';
import * as sys from '../../../lib/sys/index.js';
import { testDirectory } from '../../support/privilege.js';

t.test('syncfs', async (t) => {
  const fd = sys.openat(sys.AT_FDCWD, testDirectory(t), sys.O_DIRECTORY);
  sys.syncfs(fd);
  sys.close(fd);
  t.throws(() => sys.syncfs(fd), { code: 'EBADF', errno: -9, syscall: 'syncfs' });
});
