import t from 'tap';
import {
  assertLayerMediaType,
  isConfigMediaType,
  isForeignLayerMediaType,
  isIndexMediaType,
  isLayerMediaType,
  isManifestMediaType,
  isSchema1MediaType,
  layerMediaType,
  mediaTypes,
} from '../../../lib/image/media-type.js';

t.test('every media type is one thing', async (t) => {
  const things = {
    isManifestMediaType,
    isIndexMediaType,
    isConfigMediaType,
    isLayerMediaType,
    isSchema1MediaType,
  };
  for (const [name, mediaType] of Object.entries(mediaTypes)) {
    const is = Object.entries(things).filter(([, test]) => test(mediaType));
    t.equal(is.length, name === 'ociEmpty' ? 0 : 1, mediaType);
  }
  for (const [thing, test] of Object.entries(things)) t.notOk(test('application/octet-stream'), thing);
});

t.test('foreign layers are layers that are not pushed', async (t) => {
  const foreign = Object.values(mediaTypes).filter(isForeignLayerMediaType);
  t.equal(foreign.length, 5);
  t.ok(foreign.every(isLayerMediaType));
  t.ok(foreign.every((mediaType) => /nondistributable|foreign/.test(mediaType)));
});

t.test('what may be unpacked', async (t) => {
  for (const mediaType of Object.values(mediaTypes).filter(isLayerMediaType)) assertLayerMediaType(mediaType);
  for (const mediaType of [mediaTypes.ociEmpty, mediaTypes.ociConfig, 'application/vnd.in-toto+json', '']) {
    t.throws(() => assertLayerMediaType(mediaType), {
      code: 'MEDIA_TYPE_UNSUPPORTED',
      detail: { mediaType },
    });
  }
});

t.test('what is written', async (t) => {
  t.equal(layerMediaType('none'), 'application/vnd.oci.image.layer.v1.tar');
  t.equal(layerMediaType('gzip'), 'application/vnd.oci.image.layer.v1.tar+gzip');
  t.equal(layerMediaType('zstd'), 'application/vnd.oci.image.layer.v1.tar+zstd');
});
