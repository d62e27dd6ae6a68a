import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { writeSampleImage } from '../../../lib/demo/sample-image.js';
import { sampleLayers } from '../../../lib/demo/sample-layers.js';

t.test('the same bytes every time', async (t) => {
  const directory = t.testdir();
  for (const name of ['a', 'b']) await writeSampleImage(join(directory, name), '1', 'whole');
  const [a, b] = ['a', 'b'].map((name) => readFileSync(join(directory, name, 'index.json'), 'utf8'));
  t.equal(a, b);
  t.match(JSON.parse(a ?? ''), {
    manifests: [{ annotations: { 'org.opencontainers.image.ref.name': '1' } }],
  });
});

t.test('it has what makes layers more than archives', async (t) => {
  const entries = sampleLayers('whole').flatMap((layer) => layer.entries.map(({ entry }) => entry));
  const kinds = new Set(entries.map(({ kind }) => kind));
  for (const kind of ['directory', 'file', 'symlink', 'hardlink', 'whiteout', 'opaque'] as const) {
    t.ok(kinds.has(kind), kind);
  }
  const files = entries.flatMap((entry) => (entry.kind === 'file' ? [entry.meta] : []));
  t.ok(
    files.some(({ mode }) => (mode & 0o4000) !== 0),
    'setuid',
  );
  t.ok(
    files.some(({ xattrs }) => xattrs.size > 0),
    'xattr',
  );
});

t.test('without whiteouts there is nothing that needs a mark', async (t) => {
  const kinds = sampleLayers('without-whiteouts').flatMap(({ entries }) =>
    entries.map(({ entry }) => entry.kind),
  );
  t.notOk(kinds.includes('whiteout') || kinds.includes('opaque'));
});
