import t from 'tap';
import { limits } from '../../../lib/limits.js';
import { end, header, member, pax, read, type ReadMember } from './support.js';

type Regions = readonly (readonly [offset: number, size: number])[];

const octal = (value: number): string => `${value.toString(8).padStart(11, '0')}\0`;
const pairs = (regions: Regions): string =>
  regions.map(([offset, size]) => octal(offset) + octal(size)).join('');

function only(...parts: Buffer[]): ReadMember {
  const archive = Buffer.concat([...parts, member({ name: 'next' }), end]);
  const whole = read(archive);
  for (const chunkSize of [1, 321]) t.same(read(archive, chunkSize), whole, `in chunks of ${chunkSize}`);
  const [first, next, ...others] = whole.members;
  if (first === undefined || next?.path !== 'next' || others.length > 0) throw new Error('not two members');
  if (!whole.bytes.equals(archive)) throw new Error('bytes are missing');
  return first;
}

/** GNU tar's old format: four regions in the header, 21 in each block after it. */
function oldGnu(realSize: number, regions: Regions, data: string, magic: 'gnu' | 'ustar' = 'gnu'): Buffer {
  const more: Regions[] = [];
  for (let at = 4; at < regions.length; at += 21) more.push(regions.slice(at, at + 21));
  const block = header({
    name: 'sparse',
    type: 'S',
    magic,
    size: data.length,
    at: [
      [386, pairs(regions.slice(0, 4))],
      [482, more.length > 0 ? '\x01' : '\0'],
      [483, octal(realSize)],
    ],
  });
  const extensions = more.map((part, index) => {
    const extension = Buffer.alloc(512);
    extension.write(pairs(part), 'latin1');
    extension[504] = index + 1 < more.length ? 1 : 0;
    return extension;
  });
  const body = Buffer.from(data, 'latin1');
  return Buffer.concat([block, ...extensions, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

function pax00(realSize: number, regions: Regions, data: string): Buffer {
  const records: [string, string][] = [
    ['GNU.sparse.size', String(realSize)],
    ['GNU.sparse.numblocks', String(regions.length)],
  ];
  for (const [offset, size] of regions) {
    records.push(['GNU.sparse.offset', String(offset)], ['GNU.sparse.numbytes', String(size)]);
  }
  return Buffer.concat([pax(records), member({ name: 'sparse' }, data)]);
}

function pax01(realSize: number, regions: Regions, data: string): Buffer {
  return Buffer.concat([
    pax([
      ['GNU.sparse.size', String(realSize)],
      ['GNU.sparse.numblocks', String(regions.length)],
      ['GNU.sparse.map', regions.flat().join(',')],
      ['GNU.sparse.name', 'sparse'],
      ['path', './GNUSparseFile.1/sparse'],
    ]),
    member({ name: './GNUSparseFile.1/sparse' }, data),
  ]);
}

function pax10(realSize: number, regions: Regions, data: string, map?: string): Buffer {
  const text = map ?? `${[regions.length, ...regions.flat()].join('\n')}\n`;
  return Buffer.concat([
    pax([
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.name', 'sparse'],
      ['GNU.sparse.realsize', String(realSize)],
    ]),
    member(
      { name: './GNUSparseFile.1/sparse' },
      text.padEnd(Math.ceil(text.length / 512) * 512, '\0') + data,
    ),
  ]);
}

const formats = { oldGnu, pax00, pax01, pax10 };

t.test('one file in all four formats', async (t) => {
  const many = Array.from({ length: 60 }, (_, index): [number, number] => [index * 1000, 2]);
  const cases: readonly [
    name: string,
    size: number,
    regions: Regions,
    extents: Regions | null,
    data: string,
  ][] = [
    [
      'holes all around',
      5000,
      [
        [512, 3],
        [2000, 2],
      ],
      [
        [512, 3],
        [2000, 2],
      ],
      'abcde',
    ],
    [
      'a hole at the end, marked as GNU tar does',
      5000,
      [
        [0, 3],
        [5000, 0],
      ],
      [[0, 3]],
      'abc',
    ],
    ['only a hole', 5000, [[5000, 0]], [], ''],
    ['only a hole, no region', 5000, [], [], ''],
    ['no hole', 3, [[0, 3]], null, 'abc'],
    ['an empty file', 0, [], null, ''],
    ['more regions than a header has', 60_000, many, many, 'ab'.repeat(60)],
    ['more than 8 GiB', 2 ** 33, [[2 ** 33 - 1, 1]], [[2 ** 33 - 1, 1]], 'z'],
  ];
  for (const [name, size, regions, extents, data] of cases) {
    for (const [format, encode] of Object.entries(formats)) {
      if (format === 'oldGnu' && size > 0o77777777777) continue;
      const found = only(encode(size, regions, data));
      t.match(
        found,
        { type: 'file', path: 'sparse', size, dataSize: data.length, data },
        `${format}: ${name}`,
      );
      t.same(
        found.extents,
        extents?.map(([offset, length]) => ({ offset, size: length })) ?? null,
        `${format}: ${name}, extents`,
      );
    }
  }
});

t.test('versions that are named, and older ones that are not', async (t) => {
  for (const [version, fields] of [
    ['none', []],
    [
      '0.0',
      [
        ['GNU.sparse.major', '0'],
        ['GNU.sparse.minor', '0'],
      ],
    ],
    [
      '0.1',
      [
        ['GNU.sparse.major', '0'],
        ['GNU.sparse.minor', '1'],
      ],
    ],
  ] as const) {
    const records = pax([...fields, ['GNU.sparse.map', '7,2'], ['GNU.sparse.realsize', '9']]);
    t.same(only(records, member({ name: 'a' }, 'ab')).extents, [{ offset: 7, size: 2 }], version);
  }
});

t.test('a map of format 1.0 may be cut by blocks anywhere', async (t) => {
  const regions = Array.from({ length: 100 }, (_, index): [number, number] => [index * 1000, 1]);
  const extents = regions.map(([offset, size]) => ({ offset, size }));
  for (let zeros = 0; zeros < 17; zeros++) {
    const map = `${'0'.repeat(zeros)}${[regions.length, ...regions.flat()].join('\n')}\n`;
    t.same(only(pax10(100_000, [], 'd'.repeat(100), map)).extents, extents, `${zeros} zeros in front`);
  }
});

t.test('what is no sparse file', async (t) => {
  const cases: readonly [name: string, size: number, regions: Regions, data: string][] = [
    [
      'overlap',
      5000,
      [
        [0, 3],
        [2, 2],
      ],
      'abcde',
    ],
    [
      'out of order',
      5000,
      [
        [100, 3],
        [0, 2],
      ],
      'abcde',
    ],
    ['beyond the end', 5000, [[4999, 2]], 'ab'],
    ['begins beyond the end', 5000, [[5001, 0]], ''],
    ['less stored than mapped', 5000, [[0, 3]], 'ab'],
    ['more stored than mapped', 5000, [[0, 3]], 'abcd'],
    ['no map, but data', 5000, [], 'abcd'],
  ];
  for (const [name, size, regions, data] of cases) {
    for (const [format, encode] of Object.entries(formats)) {
      t.throws(() => only(encode(size, regions, data)), { code: 'TAR_INVALID' }, `${format}: ${name}`);
    }
  }
});

t.test('disk bombs and map bombs', async (t) => {
  for (const [format, encode] of Object.entries(formats)) {
    if (format === 'oldGnu') continue;
    t.throws(
      () => only(encode(limits.fileSize + 1, [], '')),
      { code: 'LIMIT_EXCEEDED' },
      `${format}: a length over the limit`,
    );
  }
  const oldHeader = (realSize: string): Buffer =>
    header({ name: 'a', type: 'S', magic: 'gnu', at: [[483, Buffer.from(realSize, 'latin1')]] });
  t.throws(
    () => read(oldHeader('\xff'.repeat(12))),
    { code: 'TAR_INVALID', message: /size is -1/ },
    'old GNU: a negative length',
  );
  t.throws(
    () => read(oldHeader('x'.repeat(12))),
    { code: 'TAR_INVALID', message: /size is NaN/ },
    'old GNU: no length',
  );
  t.throws(
    () => read(oldHeader(`\x80${'\xff'.repeat(11)}`)),
    { code: 'LIMIT_EXCEEDED' },
    'old GNU: a length over the limit',
  );
  const regions = Array.from({ length: limits.sparseExtents + 1 }, (_, index): [number, number] => [
    index,
    0,
  ]);
  t.throws(() => read(oldGnu(1e6, regions, '')), { code: 'LIMIT_EXCEEDED' }, 'CVE-2026-32288: old GNU map');
  t.throws(
    () => read(pax10(1e6, regions, '')),
    { code: 'LIMIT_EXCEEDED' },
    'CVE-2025-58183: map of format 1.0',
  );
  t.throws(
    () => read(pax10(1e6, [], '', '10000000\n')),
    { code: 'LIMIT_EXCEEDED' },
    'CVE-2025-58183: at its first line',
  );
  t.throws(() => read(pax01(1e6, regions, '')), { code: 'LIMIT_EXCEEDED' }, 'map of format 0.1');
});

t.test('maps of format 1.0 that are none', async (t) => {
  for (const [name, map] of [
    ['no number', 'x\n'],
    ['an empty line', '\n'],
    ['negative', '-1\n'],
    ['a number without end', '1'.repeat(600)],
    ['cut short', '2\n0\n1\n'],
    ['longer than the member', '1\n0'],
    ['padding instead of numbers', '1\n\0'],
  ] as const) {
    t.throws(() => read(pax10(5000, [], '', map)), { code: 'TAR_INVALID' }, name);
  }
  const short = Buffer.concat([
    pax([
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.realsize', '9'],
    ]),
    member({ name: 'a' }, '0\n'),
    end,
  ]);
  t.throws(() => read(short), { code: 'TAR_INVALID' }, 'a map that does not fill its block');
});

t.test('records that do not fit', async (t) => {
  const sparse = (
    records: readonly (readonly [string, string])[],
    type = '0',
    magic: 'ustar' | 'gnu' = 'ustar',
  ): unknown =>
    read(
      Buffer.concat([
        pax(records),
        member({ name: 'a', type, magic, at: type === 'S' ? [[483, octal(0)]] : [] }),
        end,
      ]),
    );
  const cases: readonly [string, () => unknown][] = [
    [
      'version 2.0',
      () =>
        sparse([
          ['GNU.sparse.major', '2'],
          ['GNU.sparse.minor', '0'],
          ['GNU.sparse.realsize', '1'],
        ]),
    ],
    [
      'half a version',
      () =>
        sparse([
          ['GNU.sparse.major', '1'],
          ['GNU.sparse.realsize', '1'],
        ]),
    ],
    ['no real size', () => sparse([['GNU.sparse.map', '0,1']])],
    ['real size no number', () => sparse([['GNU.sparse.realsize', '1.5']])],
    [
      'an odd map',
      () =>
        sparse([
          ['GNU.sparse.map', '0,1,2'],
          ['GNU.sparse.size', '9'],
        ]),
    ],
    [
      'an empty number',
      () =>
        sparse([
          ['GNU.sparse.map', '0,'],
          ['GNU.sparse.size', '9'],
        ]),
    ],
    ['a length before its offset', () => sparse([['GNU.sparse.numbytes', '1']])],
    [
      'two offsets',
      () =>
        sparse([
          ['GNU.sparse.offset', '1'],
          ['GNU.sparse.offset', '2'],
        ]),
    ],
    [
      'another number of regions',
      () =>
        sparse([
          ['GNU.sparse.map', '0,0'],
          ['GNU.sparse.size', '9'],
          ['GNU.sparse.numblocks', '2'],
        ]),
    ],
    [
      'a sparse directory',
      () =>
        sparse(
          [
            ['GNU.sparse.map', ''],
            ['GNU.sparse.size', '9'],
          ],
          '5',
        ),
    ],
    [
      'a sparse hardlink',
      () =>
        sparse(
          [
            ['GNU.sparse.map', ''],
            ['GNU.sparse.size', '9'],
          ],
          '1',
        ),
    ],
    [
      'two maps',
      () =>
        sparse(
          [
            ['GNU.sparse.map', ''],
            ['GNU.sparse.size', '9'],
          ],
          'S',
          'gnu',
        ),
    ],
    ['type S in ustar', () => read(oldGnu(10, [], '', 'ustar'))],
    [
      'a region that is no number',
      () =>
        read(
          header({
            name: 'a',
            type: 'S',
            magic: 'gnu',
            at: [
              [386, 'x'.repeat(24)],
              [483, octal(10)],
            ],
          }),
        ),
    ],
  ];
  for (const [name, run] of cases) t.throws(run, { code: 'TAR_INVALID', message: /sparse|PAX/ }, name);
});
