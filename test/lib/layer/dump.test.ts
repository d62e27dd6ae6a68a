import t from 'tap';
import { dumpIndex } from '../../../lib/layer/dump.js';
import {
  device,
  directory,
  fifo,
  file,
  hardlink,
  indexOf,
  lowerHardlink,
  symlink,
  whiteout,
} from '../../support/layer-nodes.js';

t.test('a layer that has everything, as text', async (t) => {
  const index = await indexOf({
    '': directory({ uid: 1, mtime: 1_700_000_000_000_000_001n }),
    'a b': file({ size: 3, contentHash: 0xabcn, dataOffset: 512, xattrs: { 'user.a=b': '\x00\xff -' } }),
    'b\\\n': symlink('-'),
    b1: symlink('', { mtime: -1n }),
    c: device('char', 1, 3, { mode: 0o666 }),
    d: device('block', 8, 0),
    e: fifo({ mode: 0o1644 }),
    'f/g': whiteout(),
    h: directory({ opaque: true }),
    i: hardlink('a b'),
    j: lowerHardlink('usr/\xff'),
    k: file({
      size: 8192,
      extents: [
        { offset: 0, size: 512 },
        { offset: 4096, size: 0 },
      ],
    }),
  });
  t.equal(
    dumpIndex(index),
    [
      '/ directory 0755 1 0 - 1700000000.000000001 - -',
      '/a\\x20b file 0644 0 0 3 0.000000000 - 0000000000000abc user.a\\x3db=\\x00\\xc3\\xbf\\x20-',
      '/b1 symlink 0777 0 0 - -1.999999999 - -',
      '/b\\x5c\\x0a symlink 0777 0 0 - 0.000000000 \\x2d -',
      '/c char 0666 0 0 - 0.000000000 1:3 -',
      '/d block 0644 0 0 - 0.000000000 8:0 -',
      '/e fifo 1644 0 0 - 0.000000000 - -',
      '/f directory+implied 0755 0 0 - 0.000000000 - -',
      '/f/g whiteout - - - - - - -',
      '/h directory+opaque 0755 0 0 - 0.000000000 - -',
      '/i hardlink - - - - - /a\\x20b -',
      '/j hardlink+lower - - - - - /usr/\\xff -',
      '/k file 0644 0 0 8192[0+512,4096+0] 0.000000000 - 0000000000000000',
      '',
    ].join('\n'),
  );
});
