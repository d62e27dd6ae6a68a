import t from 'tap';
import type { LayerPath } from '../../../lib/bytes.js';
import { isInsideAufs, opaqueName, parseWhiteout, whiteoutName } from '../../../lib/layer/whiteout.js';
import { b } from '../tar/support.js';

t.test('names', async (t) => {
  const cases: readonly [name: string, meaning: ReturnType<typeof parseWhiteout>][] = [
    ['file', null],
    ['wh.file', null],
    ['.wh', null],
    ['.why', null],
    ['a.wh.b', null],
    ['.WH.a', null],
    ['.wh.file', { whiteout: b('file') }],
    ['.wh..hidden', { whiteout: b('.hidden') }],
    ['.wh....', { whiteout: b('...') }],
    ['.wh..wh', { whiteout: b('.wh') }],
    ['.wh.wh.x', { whiteout: b('wh.x') }],
    ['.wh.\xff', { whiteout: b('\xff') }],
    ['.wh..wh..opq', 'opaque'],
    ['.wh..wh..opqX', 'aufs'],
    ['.wh..wh..op', 'aufs'],
    ['.wh..wh.', 'aufs'],
    ['.wh..wh.aufs', 'aufs'],
    ['.wh..wh.plnk', 'aufs'],
    ['.wh..wh.orph', 'aufs'],
  ];
  for (const [name, meaning] of cases) t.same(parseWhiteout(b(name)), meaning, name);
});

t.test('whiteouts of no name, . and .. are refused', async (t) => {
  for (const name of ['.wh.', '.wh..', '.wh...']) {
    t.throws(() => parseWhiteout(b(name)), { code: 'ENTRY_INVALID', detail: { path: name } }, name);
  }
});

t.test('parseWhiteout(whiteoutName(name)) is name', async (t) => {
  for (const name of ['a', '.a', '...', '.wh', 'a.wh.b', '\xff\n']) {
    t.same(parseWhiteout(whiteoutName(b(name))), { whiteout: name }, JSON.stringify(name));
  }
  t.equal(parseWhiteout(opaqueName), 'opaque');
});

t.test("AUFS' directories", async (t) => {
  for (const [path, inside] of [
    ['.wh..wh.plnk/12.34', true],
    ['a/.wh..wh.plnk/12.34', true],
    ['.wh..wh.orph/a/b', true],
    ['.wh..wh.plnk', false],
    ['a/.wh..wh..opq', false],
    ['.wh.etc/file', false],
    ['a.wh..wh.b/c', false],
    ['a/b', false],
  ] as const) {
    t.equal(isInsideAufs(path as LayerPath), inside, path);
  }
});
