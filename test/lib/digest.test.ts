import t from 'tap';
import { chainIds, digestOf, isDigest, parseDigest, emptyLayerDiffId } from '../../lib/digest.js';

t.test('the grammar decides what becomes a path', async (t) => {
  const hex = 'a'.repeat(64);
  t.ok(isDigest(`sha256:${hex}`));
  t.ok(isDigest(`sha512:${hex}${hex}`));
  for (const bad of [
    `sha256:${hex.toUpperCase()}`,
    'sha256:../../etc/passwd',
    `sha256:${hex}a`,
    `md5:${hex}`,
    `sha512:${hex}`,
    hex,
    undefined,
  ]) {
    t.throws(() => parseDigest(bad), { code: 'DIGEST_INVALID' }, String(bad));
  }
});

t.test('the empty layer', async (t) => {
  t.equal(digestOf(Buffer.alloc(1024)), emptyLayerDiffId);
});

t.test('chainIDs follow the specification', async (t) => {
  const a = digestOf('a');
  const b = digestOf('b');
  t.same(chainIds([a]), [a]);
  t.same(chainIds([a, b]), [a, digestOf(`${a} ${b}`)]);
  t.same(chainIds([]), []);
});
