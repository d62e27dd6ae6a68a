import t from 'tap';
import { digestOf } from '../../../lib/digest.js';
import { checkLayerCount, historyMismatch, parseConfig } from '../../../lib/image/config.js';
import { parseManifest } from '../../../lib/image/manifest.js';
import { limits } from '../../../lib/limits.js';
import { config, encode, layer, manifest, type Json } from './documents.js';

const diffId = digestOf('a layer, uncompressed');

t.test('configs that are right', async (t) => {
  t.match(parseConfig(encode(config())), {
    architecture: 'amd64',
    os: 'linux',
    variant: undefined,
    config: {},
    diffIds: [diffId],
    history: [],
  });
  const run = {
    User: '1000:1000',
    Env: ['PATH=/bin', 'EMPTY='],
    Entrypoint: ['/bin/sh', '-c'],
    Cmd: ['true'],
    WorkingDir: '/src',
    StopSignal: 'SIGTERM',
    Labels: { 'a.b': 'c' },
  };
  const ports = { ExposedPorts: { '80/tcp': {} }, Volumes: { '/data': {} } };
  const full = config({
    created: '2024-01-02T03:04:05.678901234Z',
    author: 'somebody',
    variant: 'v2',
    config: { ...run, ...ports },
    history: [{ created: 'then', created_by: 'RUN x', author: 'a', comment: 'c', empty_layer: true }, {}],
  });
  t.match(parseConfig(encode(full)), {
    created: '2024-01-02T03:04:05.678901234Z',
    author: 'somebody',
    variant: 'v2',
    config: { ...run, ExposedPorts: ['80/tcp'], Volumes: ['/data'] },
    history: [{ created_by: 'RUN x', empty_layer: true }, {}],
  });
});

t.test('what Go and old tools write for nothing', async (t) => {
  const nothing = { User: '', Env: null, Cmd: null, Entrypoint: null, Labels: null, Volumes: null };
  const value = config({ config: nothing, history: null, rootfs: { type: 'layers', diff_ids: null } });
  t.match(parseConfig(encode(value)), { config: { Env: undefined }, diffIds: [], history: [] });
  t.match(parseConfig(encode({ rootfs: { type: 'layers', diff_ids: [] } })), { architecture: '', os: '' });
});

t.test('what layerfs does not know stays in the document', async (t) => {
  const value = config({ 'moby.buildkit.buildinfo.v1': 'e30=', config: { Healthcheck: { Test: ['NONE'] } } });
  t.same(parseConfig(encode(value)).json, JSON.parse(JSON.stringify(value)));
});

t.test('configs that are not', async (t) => {
  const invalid = 'MANIFEST_INVALID';
  const rootfs = (fields: Json): Json =>
    config({ rootfs: { type: 'layers', diff_ids: [diffId], ...fields } });
  const cases: [name: string, value: unknown, code: string, message: RegExp][] = [
    ['a list', [], invalid, /^config: must be an object/],
    ['no rootfs', {}, invalid, /^config\.rootfs: must be an object/],
    ['another rootfs', rootfs({ type: 'layers+base' }), invalid, /^config\.rootfs\.type/],
    ['no diff_ids', config({ rootfs: { type: 'layers' } }), invalid, /^config\.rootfs\.diff_ids/],
    ['a diffID that is a path', rootfs({ diff_ids: ['sha256:../x'] }), 'DIGEST_INVALID', /diff_ids\[0\]/],
    ['too many diffIDs', rootfs({ diff_ids: Array(10_001).fill(diffId) }), 'LIMIT_EXCEEDED', /diff_ids/],
    ['an architecture that is no text', config({ architecture: 64 }), invalid, /^config\.architecture/],
    ['a history that is no list', config({ history: {} }), invalid, /^config\.history/],
    [
      'an empty_layer that is no boolean',
      config({ history: [{ empty_layer: 'true' }] }),
      invalid,
      /history\[0\]\.empty/,
    ],
    [
      'labels that are no texts',
      config({ config: { Labels: { a: 1 } } }),
      invalid,
      /^config\.config\.Labels\["a"\]/,
    ],
    ['an Env that is a map', config({ config: { Env: {} } }), invalid, /^config\.config\.Env/],
  ];
  for (const [name, value, code, message] of cases) {
    t.throws(() => parseConfig(encode(value)), { code, message }, name);
  }
  const huge = Buffer.alloc(limits.configSize + 1, ' ');
  t.throws(() => parseConfig(huge), { code: 'LIMIT_EXCEEDED' }, 'over the limit');
});

t.test('manifest and config have the same number of layers', async (t) => {
  const image = parseConfig(encode(config()));
  checkLayerCount(parseManifest(encode(manifest())), image);
  for (const layers of [[], [layer, layer]]) {
    t.throws(() => checkLayerCount(parseManifest(encode(manifest({ layers }))), image), {
      code: 'MANIFEST_INVALID',
      message: new RegExp(`has ${layers.length} layers, but config.rootfs.diff_ids has 1`),
    });
  }
});

t.test('a history that does not fit is a warning', async (t) => {
  const mismatch = (history: Json[]): string | undefined =>
    historyMismatch(parseConfig(encode(config({ history }))));
  t.equal(mismatch([]), undefined, 'none at all');
  t.equal(
    mismatch([{ empty_layer: true }, {}, { empty_layer: true }]),
    undefined,
    'empty layers do not count',
  );
  t.equal(mismatch([{ empty_layer: false }]), undefined);
  t.match(mismatch([{}, {}]), /tells of 2 layers, but the image has 1/);
  t.match(mismatch([{ empty_layer: true }]), /tells of 0 layers/);
});
