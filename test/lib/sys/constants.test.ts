import fs from 'node:fs';
import t from 'tap';
import * as sys from '../../../lib/sys/constants.js';

t.test('flags that differ between architectures are those of this one', async (t) => {
  for (const name of ['O_DIRECTORY', 'O_NOFOLLOW', 'O_DIRECT', 'O_NOATIME', 'O_SYNC', 'O_DSYNC'] as const) {
    t.equal(sys[name], fs.constants[name], name);
  }
  t.equal(sys.O_TMPFILE & sys.O_DIRECTORY, sys.O_DIRECTORY, 'O_TMPFILE fails on kernels without it');
});

t.test('file types are those of Node', async (t) => {
  const { S_IFMT, S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK } = fs.constants;
  t.match(sys, { S_IFMT, S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK });
});
