import t from 'tap';
import { parseTransport } from '../../../lib/source/transport.js';

const digest = `sha256:${'a'.repeat(64)}`;

t.test('a transport is taken apart as containers-transports(5) says', (t) => {
  const cases: [text: string, expected: object][] = [
    ['oci:dir', { kind: 'oci', path: 'dir' }],
    ['oci:/a/b:latest', { kind: 'oci', path: '/a/b', name: 'latest' }],
    ['oci:dir:', { kind: 'oci', path: 'dir' }],
    [
      'oci:dir:docker.io/library/debian:12',
      { kind: 'oci', path: 'dir', name: 'docker.io/library/debian:12' },
    ],
    [`oci:dir:name@${digest}`, { kind: 'oci', path: 'dir', name: `name@${digest}` }],
    ['oci:dir:@3', { kind: 'oci', path: 'dir', position: 3 }],
    ['oci-archive:-', { kind: 'oci-archive', path: '-' }],
    ['oci-archive:x.tar:v1.0+b', { kind: 'oci-archive', path: 'x.tar', name: 'v1.0+b' }],
    ['docker-archive:x.tar', { kind: 'docker-archive', path: 'x.tar' }],
    ['docker-archive:x.tar:@0', { kind: 'docker-archive', path: 'x.tar', position: 0 }],
    ['rootfs:/srv/root:fs', { kind: 'rootfs', path: '/srv/root:fs' }],
    ['rootfs:-', { kind: 'rootfs', path: '-' }],
  ];
  for (const [text, expected] of cases) t.strictSame(parseTransport(text), expected, text);
  t.end();
});

t.test('the name in a docker-archive is a reference with a tag', (t) => {
  const cases: [text: string, canonical: string][] = [
    ['docker-archive:x.tar:debian', 'docker.io/library/debian:latest'],
    ['docker-archive:x.tar:debian:12', 'docker.io/library/debian:12'],
    ['docker-archive:x.tar:localhost:5000/a/b:c', 'localhost:5000/a/b:c'],
  ];
  for (const [text, canonical] of cases) {
    const transport = parseTransport(text);
    t.equal(transport.kind === 'docker-archive' ? transport.name?.name : undefined, canonical, text);
  }
  t.end();
});

t.test('what is not a transport is refused with the spellings there are', (t) => {
  const cases: Record<string, string> = {
    'no transport': 'debian',
    'an empty text': '',
    'a transport of others': 'docker://debian:12',
    'no path': 'oci:',
    'a name without a path': 'oci::latest',
    'no path for a rootfs': 'rootfs:',
    'only the word': 'docker-archive',
    'a name with a space': 'oci:dir:a b',
    'a name that climbs': 'oci:dir:../../etc',
    'a position below zero': 'oci:dir:@-1',
    'a position that is none': 'docker-archive:x.tar:@first',
    'a position beyond numbers': 'docker-archive:x.tar:@99999999999999999999',
    'a digest in a docker-archive': `docker-archive:x.tar:debian@${digest}`,
    'upper case in a docker-archive': 'docker-archive:x.tar:Debian:12',
  };
  for (const [name, text] of Object.entries(cases)) {
    t.throws(() => parseTransport(text), { code: 'REFERENCE_INVALID' }, name);
  }
  t.end();
});
