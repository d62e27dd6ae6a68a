import t from 'tap';
import { type Bytes } from '../../../lib/bytes.js';
import { SystemError, errno, systemError } from '../../../lib/sys/index.js';

const cases = [
  {
    name: 'as Node words it',
    error: systemError(-errno.ENOENT, 'openat2', 'a/b' as Bytes),
    want: {
      message: "ENOENT: no such file or directory, openat2 'a/b'",
      code: 'ENOENT',
      errno: -2,
      syscall: 'openat2',
      path: 'a/b',
    },
  },
  {
    name: 'without a path',
    error: systemError(-errno.EBADF, 'fchown'),
    want: { message: 'EBADF: bad file descriptor, fchown', code: 'EBADF', errno: -9, path: undefined },
  },
  {
    name: 'with what the kernel said',
    error: systemError(-errno.EINVAL, 'fsconfig', 'index' as Bytes, 'e overlay: Bad value'),
    want: { message: "EINVAL: invalid argument, fsconfig 'index': e overlay: Bad value" },
  },
  {
    name: 'a path that is not UTF-8 is shown escaped',
    error: systemError(-errno.EEXIST, 'mkdirat', 'caf\xe9' as Bytes),
    want: { message: "EEXIST: file already exists, mkdirat 'caf\\xe9'", path: 'caf\\xe9' },
  },
  {
    name: 'an errno that libuv does not know',
    error: systemError(-errno.EDQUOT, 'write'),
    want: { code: 'EDQUOT', errno: -122, message: /^EDQUOT: .+, write$/ },
  },
  {
    name: 'an errno that Node does not know',
    error: systemError(-errno.EUCLEAN, 'read'),
    want: { code: 'EUCLEAN', errno: -117 },
  },
  {
    name: 'a number that is no errno',
    error: systemError(-999, 'read'),
    want: { code: 'E999', errno: -999 },
  },
];

for (const { name, error, want } of cases) {
  t.test(name, async (t) => {
    t.ok(error instanceof SystemError);
    t.match(error, want);
  });
}
