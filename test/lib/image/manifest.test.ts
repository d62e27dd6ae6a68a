import t from 'tap';
import { limits } from '../../../lib/limits.js';
import { digestOf } from '../../../lib/digest.js';
import { mediaTypes } from '../../../lib/image/media-type.js';
import {
  encodeManifest,
  parseIndex,
  parseManifest,
  parseManifestOrIndex,
} from '../../../lib/image/manifest.js';
import { encode, index, layer, manifest, type Json } from './documents.js';

function without(json: Json, key: string): Json {
  return Object.fromEntries(Object.entries(json).filter(([name]) => name !== key));
}

const { ociManifest, ociIndex, dockerManifest, dockerManifestList } = mediaTypes;

t.test('documents that are right', async (t) => {
  const cases: [name: string, value: Json, expected: string | undefined, kind: string, mediaType: string][] =
    [
      ['an OCI manifest', manifest(), ociManifest, 'manifest', ociManifest],
      ['one whose type is nowhere', without(manifest(), 'mediaType'), undefined, 'manifest', ociManifest],
      [
        'one named by its descriptor only',
        without(manifest(), 'mediaType'),
        ociManifest,
        'manifest',
        ociManifest,
      ],
      [
        'a Docker manifest',
        manifest({ mediaType: dockerManifest }),
        dockerManifest,
        'manifest',
        dockerManifest,
      ],
      ['one named by nobody', manifest({ mediaType: dockerManifest }), undefined, 'manifest', dockerManifest],
      ['an OCI index', index([]), ociIndex, 'index', ociIndex],
      ['an index whose type is nowhere', without(index([]), 'mediaType'), undefined, 'index', ociIndex],
      ['a Docker list', index([], { mediaType: dockerManifestList }), undefined, 'index', dockerManifestList],
      ['no layers', manifest({ layers: [] }), undefined, 'manifest', ociManifest],
      ['no layers, as Go writes it', manifest({ layers: null }), undefined, 'manifest', ociManifest],
      ['one layer twice', manifest({ layers: [layer, layer] }), undefined, 'manifest', ociManifest],
      ['fields nobody knows', manifest({ x: { y: 1 } }), undefined, 'manifest', ociManifest],
    ];
  for (const [name, value, expected, kind, mediaType] of cases) {
    t.match(parseManifestOrIndex(encode(value), expected), { kind, mediaType }, name);
  }
});

t.test('the fields of a manifest', async (t) => {
  const fields = { artifactType: 'application/x', subject: layer, annotations: { a: 'b' } };
  t.match(parseManifest(encode(manifest(fields))), { ...fields, layers: [layer] });
  t.match(parseIndex(encode(index([layer], fields))), { ...fields, manifests: [layer] });
});

t.test('documents that are not', async (t) => {
  const invalid = 'MANIFEST_INVALID';
  const unsupported = 'MEDIA_TYPE_UNSUPPORTED';
  const cases: [name: string, value: unknown, expected: string | undefined, code: string, message: RegExp][] =
    [
      ['a list', [], undefined, invalid, /^manifest: must be an object/],
      ['null', null, undefined, invalid, /^manifest: must be an object/],
      ['no schema version', without(manifest(), 'schemaVersion'), undefined, invalid, /schemaVersion/],
      ['schema version 3', manifest({ schemaVersion: 3 }), undefined, invalid, /schemaVersion/],
      ['schema 1', { schemaVersion: 1, fsLayers: [] }, undefined, unsupported, /schema 1/],
      [
        'schema 1, signed, by its type',
        {},
        'application/vnd.docker.distribution.manifest.v1+prettyjws',
        unsupported,
        /schema 1/,
      ],
      ['a type nobody knows', manifest({ mediaType: 'a/b' }), undefined, unsupported, /a\/b/],
      ['named as a type nobody knows', manifest(), 'a/b', unsupported, /a\/b/],
      ['a type that is no text', manifest({ mediaType: 7 }), undefined, invalid, /^manifest\.mediaType/],
      ['named as something else', manifest(), dockerManifest, invalid, /^manifest\.mediaType/],
      [
        'a manifest named as an index',
        without(manifest(), 'mediaType'),
        ociIndex,
        invalid,
        /lacks "manifests"/,
      ],
      [
        'an index named as a manifest',
        without(index([]), 'mediaType'),
        ociManifest,
        invalid,
        /has "manifests"/,
      ],
      [
        'no config',
        without(manifest(), 'config'),
        undefined,
        invalid,
        /^manifest\.config: must be an object/,
      ],
      ['no layers', without(manifest(), 'layers'), undefined, invalid, /^manifest\.layers: must be a list/],
      [
        'a bad layer',
        manifest({ layers: [layer, { ...layer, size: -1 }] }),
        undefined,
        invalid,
        /layers\[1\]\.size/,
      ],
      [
        'too many layers',
        manifest({ layers: Array(10_001).fill(layer) }),
        undefined,
        'LIMIT_EXCEEDED',
        /layers/,
      ],
      ['too many manifests', index(Array(10_001).fill({})), undefined, 'LIMIT_EXCEEDED', /manifests/],
    ];
  for (const [name, value, expected, code, message] of cases) {
    t.throws(() => parseManifestOrIndex(encode(value), expected), { code, message }, name);
  }
  t.throws(() => parseManifest(encode(index([]))), { code: invalid }, 'an index for a manifest');
  t.throws(() => parseIndex(encode(manifest())), { code: invalid }, 'a manifest for an index');
});

t.test('one digest, two meanings (CVE-2021-41190)', async (t) => {
  const cases: [name: string, value: Json][] = [
    ['manifests beside layers', manifest({ manifests: [] })],
    ['manifests beside a config only', without(manifest({ manifests: [] }), 'layers')],
    ['manifests beside fsLayers', index([], { fsLayers: [] })],
    ['layers beside fsLayers', manifest({ fsLayers: [] })],
    ['manifests that are null, beside layers', manifest({ manifests: null })],
    ['a field that Go reads as manifests', manifest({ Manifests: [] })],
    ['a second mediaType for Go', manifest({ MediaType: ociIndex })],
  ];
  for (const [name, value] of cases) {
    t.throws(() => parseManifestOrIndex(encode(value)), { code: 'MANIFEST_INVALID' }, name);
  }
});

t.test('bytes that are no document', async (t) => {
  const whole = encode(manifest());
  for (let length = 0; length < whole.length; length++) {
    t.throws(
      () => parseManifestOrIndex(whole.subarray(0, length)),
      { code: 'MANIFEST_INVALID' },
      `${length} bytes`,
    );
  }
  for (const text of [
    '{"a":1}{"b":2}',
    '\ufeff{}',
    '\0'.repeat(100),
    '['.repeat(1_000_000),
    '{"a":'.repeat(500_000),
  ]) {
    const name = JSON.stringify(text.slice(0, 20));
    t.throws(() => parseManifestOrIndex(Buffer.from(text)), { code: 'MANIFEST_INVALID' }, name);
  }
  const huge = Buffer.alloc(limits.manifestSize + 1, ' ');
  t.throws(() => parseManifestOrIndex(huge), { code: 'LIMIT_EXCEEDED' }, 'over the limit');
});

t.test('parse(encode(manifest)) is the manifest, and encode is always the same', async (t) => {
  const parsed = parseManifest(encode(manifest({ annotations: { a: 'b' }, subject: layer })));
  const data = encodeManifest(parsed);
  t.same(parseManifest(data), parsed);
  t.equal(digestOf(data), digestOf(encodeManifest(parsed)));
  t.match(data.toString(), /^\{"schemaVersion":2,"mediaType":"[^"]*","config":\{"mediaType"/);
});
