import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { NameStore } from '../../../lib/content/names.js';
import { digestOf } from '../../../lib/digest.js';
import { descriptorOf } from '../../../lib/image/descriptor.js';
import { mediaTypes } from '../../../lib/image/media-type.js';
import type { LayerfsError } from '../../../lib/errors.js';

const first = descriptorOf(mediaTypes.ociManifest, Buffer.from('first'));
const second = descriptorOf(mediaTypes.ociIndex, Buffer.from('second'));

/** Every way a name could become another path or another name. */
const names = [
  'docker.io/library/debian:12',
  'docker.io/library/debian@' + digestOf('x'),
  'docker.io/library/debian:12@' + digestOf('x'),
  'localhost:5000/a/b:c',
  'docker.io%2Flibrary%2Fdebian:12',
  'DOCKER.IO/library/debian:12',
  '.',
  '..',
  '../../etc/passwd',
  '.hidden',
  '',
  'with space and \n newline',
  'ünïcode',
  '%sha256-' + 'a'.repeat(64),
  'a'.repeat(255),
  'a'.repeat(256),
  'a'.repeat(257),
  `${'long.example'.repeat(20)}:${'t'.repeat(128)}`,
  '/'.repeat(100),
];

for (const durable of [true, false]) {
  t.test(`set, get, list and delete, durable: ${durable}`, async (t) => {
    const directory = t.testdir();
    const store = new NameStore(directory, { durable });
    t.same(await store.list(), []);
    for (const name of names) {
      t.equal(await store.get(name), undefined, `not there yet: ${JSON.stringify(name)}`);
      await store.set(name, first);
      t.same(await store.get(name), first);
    }
    t.equal(readdirSync(directory).length, names.length, 'each has a file of its own');
    t.same(
      (await store.list()).map(({ name }) => name),
      [...names].sort(),
      'all come back as they were',
    );
    const [name = ''] = names;
    await store.set(name, second);
    t.same(await store.get(name), second, 'set replaces');
    for (const each of names) await store.delete(each);
    await store.delete(name);
    t.same(readdirSync(directory), [], 'delete forgets, twice is no error');
  });
}

t.test('only what identifies the image is kept', async (t) => {
  const store = new NameStore(t.testdir(), { durable: false });
  await store.set('a', {
    ...first,
    annotations: { key: 'value' },
    platform: { os: 'linux', architecture: 'amd64' },
  });
  t.same(JSON.stringify(await store.get('a')), JSON.stringify(first));
});

t.test('a record that is being written is not a name', async (t) => {
  const directory = t.testdir({ '.a.tmp': '{' });
  t.same(await new NameStore(directory, { durable: false }).list(), []);
});

t.test('a damaged record is an error of its own and nobody else', async (t) => {
  const good = JSON.stringify({ name: 'a', ...first });
  const cases: Record<string, string> = {
    empty: '',
    'zero bytes': '\0'.repeat(100),
    'cut short': good.slice(0, -5),
    'not an object': '[]',
    'without a name': JSON.stringify(first),
    'of another name': JSON.stringify({ name: 'b', ...first }),
    'with a digest that is a path': good.replace('sha256:', 'sha256:../'),
    'larger than any record': good + ' '.repeat(100_000),
  };
  for (const [what, text] of Object.entries(cases)) {
    const directory = t.testdir();
    const store = new NameStore(directory, { durable: false });
    await store.set('other', first);
    writeFileSync(join(directory, 'a'), text);
    const error = { code: 'STORE_INVALID', message: /names\/a/ };
    await t.rejects(store.get('a'), error, what);
    await t.rejects(store.list(), error, `${what}, listed`);
    t.same(await store.get('other'), first, 'the other name is as it was');
    const damaged: LayerfsError[] = [];
    t.same(
      (await store.list((e) => damaged.push(e))).map(({ name }) => name),
      ['other'],
      'who asks gets the others',
    );
    t.match(damaged, [error], 'and is told of the damage');
    await store.set('a', second);
    t.same(await store.get('a'), second, 'setting it again repairs it');
  }
});

t.test('a file system that refuses is not a damaged record', async (t) => {
  const directory = t.testdir();
  mkdirSync(join(directory, 'a'));
  const store = new NameStore(directory, { durable: false });
  await t.rejects(store.get('a'), { code: 'FILESYSTEM', cause: { code: 'EISDIR' } });
  await t.rejects(
    store.list(() => undefined),
    { code: 'FILESYSTEM' },
  );
});
