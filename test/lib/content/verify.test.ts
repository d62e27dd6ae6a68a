import t from 'tap';
import { verified, Verifier } from '../../../lib/content/verify.js';
import { digestOf, type Digest } from '../../../lib/digest.js';

const data = Buffer.from('twelve bytes');
const expected = { digest: digestOf(data), size: data.length };
const long = { digest: digestOf(data, 'sha512'), size: data.length };

async function collect(source: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function pieces(size: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let i = 0; i < data.length; i += size) chunks.push(data.subarray(i, i + size));
  return chunks;
}

t.test('right bytes pass, however they are cut', async (t) => {
  for (const size of [1, 5, 12, 100]) {
    t.equal(await collect(verified(pieces(size), expected)), 'twelve bytes', `sha256, chunks of ${size}`);
    t.equal(await collect(verified(pieces(size), long)), 'twelve bytes', `sha512, chunks of ${size}`);
  }
  t.equal(await collect(verified([], { digest: digestOf(''), size: 0 })), '', 'no bytes at all');
  t.equal(await collect(verified([data, Buffer.alloc(0)], expected)), 'twelve bytes', 'an empty chunk');
});

t.test('wrong bytes do not', async (t) => {
  const other = digestOf('other bytes!');
  interface Case {
    source: Buffer[];
    expected: { digest: Digest; size: number };
    error: { code: string; detail?: object };
  }
  const otherExpected = { ...expected, digest: other };
  const cases: Record<string, Case> = {
    'one byte too many': { source: [data, Buffer.from('x')], expected, error: { code: 'SIZE_MISMATCH' } },
    'one byte too few': {
      source: [data.subarray(1)],
      expected,
      error: { code: 'SIZE_MISMATCH', detail: { expected: 12 } },
    },
    'no bytes': { source: [], expected, error: { code: 'SIZE_MISMATCH' } },
    'other bytes': {
      source: [data],
      expected: otherExpected,
      error: { code: 'DIGEST_MISMATCH', detail: { expected: other, actual: expected.digest } },
    },
    'other bytes, by sha512': {
      source: [Buffer.from('twelve Bytes')],
      expected: long,
      error: { code: 'DIGEST_MISMATCH' },
    },
  };
  for (const [name, { source, expected, error }] of Object.entries(cases)) {
    await t.rejects(collect(verified(source, expected)), error, name);
  }
});

t.test('a source that never ends is left at the expected size', async (t) => {
  let asked = 0;
  let closed = false;
  async function* endless(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        asked += 1;
        yield Buffer.alloc(8);
      }
    } finally {
      closed = true;
    }
  }
  await t.rejects(collect(verified(endless(), expected)), { code: 'SIZE_MISMATCH' });
  t.equal(asked, 2);
  t.ok(closed, 'and closed');
});

t.test('cancelled between chunks', async (t) => {
  const controller = new AbortController();
  const source = verified(pieces(1), expected, { signal: controller.signal });
  await source.next();
  controller.abort();
  await t.rejects(source.next(), { code: 'ABORTED' });
});

t.test('a Verifier sees the first byte too many', async (t) => {
  const verifier = new Verifier(expected);
  verifier.update(data);
  t.throws(() => verifier.update(Buffer.from('x')), { code: 'SIZE_MISMATCH' });
});
