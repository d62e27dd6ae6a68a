import fs from 'node:fs';
import t from 'tap';
import { type Bytes } from '../../../lib/bytes.js';
import { mountNamespaces, parseMountTable, readMountTable } from '../../../lib/mount/table.js';

const parse = (line: string): unknown => parseMountTable(`${line}\n` as Bytes)[0];

const cases = [
  {
    name: 'every field',
    line: '36 35 98:0 /mnt1 /mnt2 rw,noatime shared:1 master:2 - ext3 /dev/root rw,errors=continue',
    want: {
      id: 36,
      parent: 35,
      major: 98,
      minor: 0,
      root: '/mnt1',
      mountPoint: '/mnt2',
      options: ['rw', 'noatime'],
      optionalFields: ['shared:1', 'master:2'],
      type: 'ext3',
      source: '/dev/root',
      superOptions: ['rw', 'errors=continue'],
    },
  },
  {
    name: 'no optional fields',
    line: '22 27 0:21 / /proc rw - proc proc rw',
    want: { mountPoint: '/proc', optionalFields: [] },
  },
  {
    name: 'space, tab, newline and backslash in names',
    line: '1 0 0:1 /a\\040b /c\\011d\\012e\\134040f rw - tmpfs s\\040t rw',
    want: { root: '/a b', mountPoint: '/c\td\ne\\040f', source: 's t' },
  },
  {
    name: 'bytes that are not UTF-8',
    line: '1 0 0:1 / /caf\xe9 rw - tmpfs none rw',
    want: { mountPoint: '/caf\xe9' },
  },
  {
    name: 'an empty source',
    line: '1 0 0:1 / /m rw - tmpfs  rw,size=4k',
    want: { type: 'tmpfs', source: '', superOptions: ['rw', 'size=4k'] },
  },
  {
    name: 'a mount point called " - "',
    line: '1 0 0:1 / /a\\040-\\040b rw shared:3 - fuse.x y rw',
    want: { mountPoint: '/a - b', optionalFields: ['shared:3'], type: 'fuse.x', source: 'y' },
  },
  {
    name: 'a file system that writes spaces into its options',
    line: '1 0 0:1 / /m rw - 9p x rw,aname=drvfs;path=C:\\;symlinkroot=a b',
    want: { superOptions: ['rw', 'aname=drvfs;path=C:\\;symlinkroot=a b'] },
  },
  {
    name: 'overlay layers',
    line: '67 63 0:40 / /t rw,relatime - overlay layerfs rw,lowerdir+=/l1,lowerdir+=/l2,upperdir=/u,workdir=/w',
    want: { superOptions: ['rw', 'lowerdir+=/l1', 'lowerdir+=/l2', 'upperdir=/u', 'workdir=/w'] },
  },
];

for (const { name, line, want } of cases) {
  t.test(name, async (t) => t.match(parse(line), want));
}

t.test('what is no mount table is refused', async (t) => {
  for (const line of ['nonsense', '1 0 0:1 / /m rw tmpfs none rw', '1 0 0 / /m rw - tmpfs none rw']) {
    t.throws(() => parse(line), TypeError, line);
  }
});

t.test('the table of this process', async (t) => {
  const proc = readMountTable().filter(({ mountPoint }) => mountPoint === '/proc');
  t.match(proc, [{ type: 'proc', root: '/' }]);
  t.same(readMountTable(process.pid), readMountTable());
  t.throws(() => readMountTable(2 ** 30), { code: 'ENOENT' });
});

t.test('the namespaces of all threads', async (t) => {
  const { threads, complete } = mountNamespaces();
  t.type(complete, 'boolean');
  const own = fs.statSync('/proc/self/ns/mnt').ino;
  const thread = threads.get(own);
  t.ok(thread !== undefined);
  t.equal(fs.statSync(`/proc/${thread ?? 0}/ns/mnt`).ino, own);
});
