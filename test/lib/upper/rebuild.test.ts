/** Law: what was unpacked can be put together again, byte for byte. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { open } from '../../../index.js';
import { digestOf } from '../../../lib/digest.js';
import { LayerIndex } from '../../../lib/layer/layer-index.js';
import { extractLayer } from '../../../lib/upper/extract.js';
import { rebuildLayerTar } from '../../../lib/upper/rebuild.js';
import { writeLayout } from '../../support/oci.js';
import { needsRoot } from '../../support/privilege.js';
import { makeScratchDirectory } from '../../support/scratch.js';
import {
  device,
  directory,
  file,
  hardlink,
  sparse,
  symlink,
  tarball,
  whiteout,
  type Layer,
} from '../../support/tarball.js';

const layer: Layer = [
  directory('etc'),
  file('etc/motd', 'hello\n'),
  file('etc/empty'),
  hardlink('etc/motd', 'etc/link'),
  file('large', Buffer.alloc(3_000_001, 'large')),
  sparse('holes', 1_000_000, [
    { offset: 4096, data: Buffer.alloc(5000, 'a') },
    { offset: 500_000, data: Buffer.alloc(700, 'b') },
  ]),
  symlink('/etc/motd', 'link'),
  device('char', 'null', 1, 3),
  whiteout('gone'),
  file('late', 'data'),
];

async function unpack(
  tar: Buffer,
): Promise<{ directory: string; tarFrame: boolean; rebuilt: () => Promise<Buffer> }> {
  const scratch = makeScratchDirectory();
  const out = join(scratch, 'layer');
  mkdirSync(out);
  writeFileSync(join(scratch, 'blob'), tar);
  const { tarFrame } = await extractLayer({
    blob: { file: join(scratch, 'blob'), offset: 0, size: tar.length },
    expected: { digest: digestOf(tar), size: tar.length },
    copyTo: null,
    diffId: digestOf(tar),
    directory: out,
    lower: [],
  });
  const rebuilt = async (): Promise<Buffer> => {
    const chunks = [];
    for await (const chunk of rebuildLayerTar(out, await LayerIndex.read(join(out, 'index'))))
      chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  return { directory: scratch, tarFrame, rebuilt };
}

t.test('a layer with every kind of entry', { skip: needsRoot }, async (t) => {
  for (const [name, tar] of [
    ['as it is', tarball(...layer)],
    ['with something behind its end', Buffer.concat([tarball(...layer), Buffer.from('garbage')])],
    ['empty', Buffer.alloc(1024)],
  ] as const) {
    const { directory: scratch, tarFrame, rebuilt } = await unpack(tar);
    t.teardown(() => rmSync(scratch, { recursive: true, force: true }));
    t.equal(tarFrame, true);
    t.ok((await rebuilt()).equals(tar), name);
  }
});

t.test(
  'where a later entry replaced data, the frame does not claim to be enough',
  { skip: needsRoot },
  async (t) => {
    for (const [name, layer, expected] of [
      ['a file twice', [file('a', 'first'), file('a', 'second')], false],
      ['a file in a directory that is replaced', [file('d/a', 'first'), file('d', 'second')], false],
      ['an empty file twice', [file('a'), file('a', 'second')], true],
      ['a file that has another name', [file('a', 'first'), hardlink('a', 'b'), file('a', 'second')], true],
    ] as const) {
      const tar = tarball(...layer);
      const { directory: scratch, tarFrame, rebuilt } = await unpack(tar);
      t.teardown(() => rmSync(scratch, { recursive: true, force: true }));
      t.equal(tarFrame, expected, name);
      if (tarFrame) t.ok((await rebuilt()).equals(tar), name);
    }
  },
);

t.test(
  'a docker-archive is written from the files where the blobs are gone',
  { skip: needsRoot },
  async (t) => {
    const scratch = makeScratchDirectory();
    t.teardown(() => rmSync(scratch, { recursive: true, force: true }));
    const image = writeLayout(join(scratch, 'image'), [{ tag: 'test', layers: [layer] }]);
    await using store = await open({ root: join(scratch, 'store') });
    await store.import(`oci:${image}:test`, 'test:1');
    const hash = async (name: string): Promise<string> => {
      const path = join(scratch, name);
      await store.export('test:1', `docker-archive:${path}`);
      return createHash('sha256').update(readFileSync(path)).digest('hex');
    };
    const before = await hash('before.tar');
    const { layers } = await store.inspect('test:1');
    rmSync(join(store.root, 'content', 'blobs', 'sha256', layers[0]!.digest.slice(7)));
    t.equal(await hash('after.tar'), before);
  },
);
