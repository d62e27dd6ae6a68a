import t from 'tap';
import { hash64, xxhash } from '../../lib/hash.js';

t.test('xxh64 with seed 0, as the reference implementation has it', async (t) => {
  const api = await xxhash();
  for (const [text, expected] of [
    ['', 0xef46db3751d8e999n],
    ['a', 0xd24ec4f1a98c6e5bn],
    ['abc', 0x44bc2cf5ad770999n],
  ] as const) {
    t.equal(hash64(api, Buffer.from(text)), expected, JSON.stringify(text));
  }
});

t.test('the length of the pieces does not matter', async (t) => {
  const api = await xxhash();
  for (const size of [65_535, 65_536, 65_537, 131_072, 1_000_003]) {
    const data = Buffer.alloc(size, 'layers of bytes');
    const pieces = api.create64();
    for (let at = 0; at < size; at += 4099) pieces.update(data.subarray(at, at + 4099));
    t.equal(hash64(api, data), api.h64Raw(data), `${size} bytes at once`);
    t.equal(pieces.digest(), api.h64Raw(data), `${size} bytes in pieces`);
  }
});

t.test('there is one instance', async (t) => {
  t.equal(await xxhash(), await xxhash());
});
