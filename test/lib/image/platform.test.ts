import t from 'tap';
import {
  defaultPlatform,
  formatPlatform,
  parsePlatform,
  parsePlatformJson,
  platformDistance,
} from '../../../lib/image/platform.js';

t.test('one spelling for each platform', async (t) => {
  const cases: Record<string, string> = {
    'linux/amd64': 'linux/amd64',
    'Linux/x86_64': 'linux/amd64',
    'linux/x64': 'linux/amd64',
    'linux/amd64/v1': 'linux/amd64',
    'linux/amd64/v3': 'linux/amd64/v3',
    'linux/arm64': 'linux/arm64',
    'linux/aarch64': 'linux/arm64',
    'linux/arm64/v8': 'linux/arm64',
    'linux/arm64/8': 'linux/arm64',
    'linux/arm64/v9': 'linux/arm64/v9',
    'linux/arm': 'linux/arm/v7',
    'linux/armhf': 'linux/arm/v7',
    'linux/armel': 'linux/arm/v6',
    'linux/arm/v5': 'linux/arm/v5',
    'linux/i686': 'linux/386',
    'linux/riscv64': 'linux/riscv64',
    'linux/s390x': 'linux/s390x',
    'windows/amd64': 'windows/amd64',
  };
  for (const [text, name] of Object.entries(cases)) t.equal(formatPlatform(parsePlatform(text)), name, text);
});

t.test('what is not a platform', async (t) => {
  for (const text of [
    '',
    'linux',
    'linux/',
    '/amd64',
    'linux/arm/v7/x',
    'linux//v7',
    'linux/amd 64',
    'a/../b',
  ]) {
    t.throws(
      () => parsePlatform(text),
      { code: 'REFERENCE_INVALID', message: /for example/ },
      JSON.stringify(text),
    );
  }
});

t.test('what runs where', async (t) => {
  const cases: [wanted: string, offered: string, distance: number][] = [
    ['linux/amd64', 'linux/amd64', 0],
    ['linux/amd64', 'linux/amd64/v1', 0],
    ['linux/amd64', 'linux/amd64/v2', -1],
    ['linux/amd64/v3', 'linux/amd64/v2', 1],
    ['linux/amd64/v3', 'linux/amd64', 2],
    ['linux/amd64/v3', 'linux/amd64/v4', -1],
    ['linux/arm64', 'linux/arm64/v8', 0],
    ['linux/arm64/v9', 'linux/arm64', 1],
    ['linux/arm64', 'linux/arm/v7', -1],
    ['linux/arm/v7', 'linux/arm/v6', 1],
    ['linux/arm/v7', 'linux/arm/v5', 2],
    ['linux/arm/v6', 'linux/arm/v7', -1],
    ['linux/arm/v6', 'linux/arm', -1],
    ['linux/arm/v7', 'linux/arm', 0],
    ['linux/amd64', 'windows/amd64', -1],
    ['linux/amd64', 'unknown/unknown', -1],
    ['linux/riscv64', 'linux/riscv64/rva22', -1],
    ['linux/mips/hard', 'linux/mips/hard', 0],
  ];
  for (const [wanted, offered, distance] of cases) {
    t.equal(
      platformDistance(parsePlatform(wanted), parsePlatform(offered)),
      distance,
      `${offered} on ${wanted}`,
    );
  }
});

t.test('from an index', async (t) => {
  const json = {
    os: 'windows',
    architecture: 'amd64',
    'os.version': '10.0',
    'os.features': ['win32k'],
    features: [],
  };
  t.match(parsePlatformJson(json, 'at'), { os: 'windows', 'os.version': '10.0', 'os.features': ['win32k'] });
  const bad: [unknown, RegExp][] = [
    [null, /^at: must be an object/],
    [{ os: 'linux' }, /^at\.architecture: must be a string/],
    [{ os: 1, architecture: 'amd64' }, /^at\.os: must be a string/],
    [{ os: 'linux', architecture: 'arm', variant: 7 }, /^at\.variant: must be a string/],
    [
      { os: 'linux', architecture: 'arm', 'os.features': ['a', 1] },
      /^at\.os\.features\[1\]: must be a string/,
    ],
  ];
  for (const [value, message] of bad) {
    t.throws(() => parsePlatformJson(value, 'at'), { code: 'MANIFEST_INVALID', message });
  }
});

t.test('this machine', async (t) => {
  const { os, architecture } = defaultPlatform();
  t.equal(os, 'linux');
  t.not(architecture, 'x64', 'by the name that Go gives it');
});
