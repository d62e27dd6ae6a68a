import t from 'tap';
import { digestOf } from '../../../lib/digest.js';
import { descriptorOf, parseDescriptor } from '../../../lib/image/descriptor.js';

const data = Buffer.from('bytes');
const good = { mediaType: 'application/octet-stream', digest: digestOf(data), size: 5 };
const hex = 'a'.repeat(64);

t.test('descriptors that are right', async (t) => {
  const full = {
    ...good,
    urls: ['https://example.com/a'],
    annotations: { a: 'b' },
    data: data.toString('base64'),
    platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
    artifactType: 'application/x',
  };
  t.same(JSON.parse(JSON.stringify(parseDescriptor(full, 'at'))), full, 'nothing is lost');
  t.equal(JSON.stringify(parseDescriptor(good, 'at')), JSON.stringify(good), 'nothing is added');
  t.match(
    parseDescriptor({ ...good, urls: null, annotations: null }, 'at'),
    good,
    'null is absent, as Go writes it',
  );
  t.equal(parseDescriptor({ ...good, digest: digestOf(data, 'sha512') }, 'at').digest.length, 135);
  for (const algorithm of ['sha256', 'sha512'] as const) {
    t.equal(parseDescriptor({ ...good, digest: digestOf('', algorithm), size: 0 }, 'at').size, 0, 'no bytes');
  }
  t.same(descriptorOf('application/octet-stream', data), good);
});

t.test('annotations named as parts of an object', async (t) => {
  const json = JSON.parse(`{"annotations": {"__proto__": "x", "constructor": "y"}}`) as object;
  const { annotations } = parseDescriptor({ ...good, ...json }, 'at');
  t.same(Object.entries(annotations ?? {}), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
});

t.test('descriptors that are not', async (t) => {
  const invalid = 'MANIFEST_INVALID';
  const cases: [name: string, value: unknown, code: string, message: RegExp][] = [
    ['not an object', [], invalid, /^at: must be an object/],
    ['nothing', undefined, invalid, /^at: must be an object/],
    ['no media type', { ...good, mediaType: undefined }, invalid, /^at\.mediaType: must be a string/],
    ['an empty media type', { ...good, mediaType: '' }, invalid, /^at\.mediaType/],
    ['a media type with a line break', { ...good, mediaType: 'a/b\r\nX: y' }, invalid, /^at\.mediaType/],
    ['no digest', { ...good, digest: undefined }, 'DIGEST_INVALID', /^at\.digest/],
    [
      'a digest that is a path',
      { ...good, digest: 'sha256:../../etc/passwd' },
      'DIGEST_INVALID',
      /^at\.digest/,
    ],
    [
      'upper-case digits',
      { ...good, digest: `sha256:${hex.toUpperCase()}` },
      'DIGEST_INVALID',
      /^at\.digest/,
    ],
    ['a digit too few', { ...good, digest: `sha256:${hex.slice(1)}` }, 'DIGEST_INVALID', /^at\.digest/],
    ['an unknown algorithm', { ...good, digest: `blake3:${hex}` }, 'DIGEST_INVALID', /^at\.digest/],
    ['a negative size', { ...good, size: -1 }, invalid, /^at\.size/],
    ['a fraction', { ...good, size: 1.5 }, invalid, /^at\.size/],
    ['a size as text', { ...good, size: '5' }, invalid, /^at\.size/],
    ['a size beyond 2^53', { ...good, size: 2 ** 53 }, invalid, /^at\.size/],
    ['size 0 of something', { ...good, size: 0 }, invalid, /^at\.size/],
    ['data of another length', { ...good, data: 'AAAA' }, 'SIZE_MISMATCH', /^at\.data/],
    [
      'other data',
      { ...good, data: Buffer.from('Bytes').toString('base64') },
      'DIGEST_MISMATCH',
      /^at\.data/,
    ],
    ['urls that are no texts', { ...good, urls: [1] }, invalid, /^at\.urls\[0\]/],
    [
      'an annotation that is no text',
      { ...good, annotations: { 'a.b': 1 } },
      invalid,
      /^at\.annotations\["a\.b"\]/,
    ],
    ['a platform that is none', { ...good, platform: 'linux' }, invalid, /^at\.platform: must be an object/],
  ];
  for (const [name, value, code, message] of cases) {
    t.throws(() => parseDescriptor(value, 'at'), { code, message }, name);
  }
});
