import t from 'tap';
import { digestOf } from '../../../lib/digest.js';
import { parseReference } from '../../../lib/image/reference.js';

const digest = digestOf('x');
const long = digestOf('x', 'sha512');
const host = 'registry.example.com';

t.test('what people type, and its one canonical name', async (t) => {
  const cases: Record<string, string> = {
    debian: 'docker.io/library/debian:latest',
    'debian:12': 'docker.io/library/debian:12',
    'library/debian': 'docker.io/library/debian:latest',
    'owner/name': 'docker.io/owner/name:latest',
    'docker.io/debian': 'docker.io/library/debian:latest',
    'index.docker.io/debian:12': 'docker.io/library/debian:12',
    'index.docker.io/owner/name': 'docker.io/owner/name:latest',
    'localhost/name': 'localhost/name:latest',
    'localhost:5000/name:tag': 'localhost:5000/name:tag',
    'localhost:5000': 'docker.io/library/localhost:5000',
    '127.0.0.1:5000/a/b/c:d': '127.0.0.1:5000/a/b/c:d',
    '[::1]:5000/name': '[::1]:5000/name:latest',
    'Host/name': 'Host/name:latest',
    'ghcr.io/owner/name': 'ghcr.io/owner/name:latest',
    'a__b/c.d/e--f:V1.0_rc-1': 'docker.io/a__b/c.d/e--f:V1.0_rc-1',
    [`debian@${digest}`]: `docker.io/library/debian@${digest}`,
    [`debian:12@${digest}`]: `docker.io/library/debian:12@${digest}`,
    [`localhost:5000/name@${long}`]: `localhost:5000/name@${long}`,
    [`${host}/${'a'.repeat(234)}`]: `${host}/${'a'.repeat(234)}:latest`,
    [`debian:${'t'.repeat(128)}`]: `docker.io/library/debian:${'t'.repeat(128)}`,
  };
  for (const [text, name] of Object.entries(cases)) {
    const reference = parseReference(text);
    t.equal(reference.name, name, text);
    t.equal(String(reference), text, 'as it was typed');
    t.equal(parseReference(name).name, name, 'the canonical name stands for itself');
  }
});

t.test('its parts', async (t) => {
  const { registry, repository, tag, digest: found } = parseReference(`localhost:5000/a/b:c@${digest}`);
  t.same(
    { registry, repository, tag, found },
    { registry: 'localhost:5000', repository: 'a/b', tag: 'c', found: digest },
  );
  t.equal(parseReference(`a@${digest}`).tag, undefined, 'a digest needs no tag');
});

t.test('what is not a reference', async (t) => {
  const cases: string[] = [
    '',
    ':tag',
    '@' + digest,
    '/debian',
    'debian/',
    'a//b',
    'Debian',
    'owner/Name',
    'debian:',
    'debian:-tag',
    'debian:a/b',
    `debian:${'t'.repeat(129)}`,
    'debian@',
    'debian@sha256:abc',
    `debian@md5:${'a'.repeat(32)}`,
    `debian@${digest.toUpperCase()}`,
    'a'.repeat(64),
    '..',
    '../../etc/passwd',
    'docker.io/../x',
    'ghcr.io/a..b',
    'a_._b',
    'a___b',
    '-a',
    'a b',
    'debian:12 ',
    'debian\n',
    'debian\0',
    'dëbian',
    'https://ghcr.io/a',
    'user@ghcr.io/a',
    'ghcr.io:port/a',
    'ghcr.io:123456/a',
    '-ghcr.io/a',
    `${host}/${'a'.repeat(235)}`,
    'a'.repeat(1_000_000),
    '-'.repeat(1_000_000) + '/a',
  ];
  for (const text of cases) {
    t.throws(
      () => parseReference(text),
      { code: 'REFERENCE_INVALID', message: /for example/ },
      JSON.stringify(text.slice(0, 80)),
    );
  }
});
