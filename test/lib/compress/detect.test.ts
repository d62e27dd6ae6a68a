import { gzipSync } from 'node:zlib';
import t from 'tap';
import { createDecompressor } from '../../../lib/compress/decompress.js';
import { detectCompression, detectionLength } from '../../../lib/compress/detect.js';
import { through } from './feed.js';
import { frame, skippable } from './zstd-frames.js';

/** The first block of a tar whose first member has this name. */
function tarBlock(name: string): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  return block;
}

t.test('compression is told from the first bytes', async (t) => {
  const cases: [name: string, start: Buffer, expected: string][] = [
    ['gzip', gzipSync('x'), 'gzip'],
    ['a zstd frame', frame(), 'zstd'],
    ['a skippable frame first', skippable(1, 0), 'zstd'],
    ['a skippable frame of the last kind', skippable(1, 15), 'zstd'],
    ['bzip2', Buffer.from('BZh91AY&SY', 'latin1'), 'bzip2'],
    ['bzip2 of nothing', Buffer.from('BZh9\x17\x72\x45\x38\x50\x90', 'latin1'), 'bzip2'],
    ['xz', Buffer.from('\xfd7zXZ\0', 'latin1'), 'xz'],
    ['tar', tarBlock('etc/passwd'), 'none'],
    ['a tar whose first member is called BZh9', tarBlock('BZh9'), 'none'],
    ['a tar of nothing', Buffer.alloc(1024), 'none'],
    ['gzip with a method that does not exist', Buffer.from([0x1f, 0x8b, 7]), 'none'],
    ['half a magic number', Buffer.from([0x1f]), 'none'],
    ['nothing', Buffer.alloc(0), 'none'],
  ];
  for (const [name, start, expected] of cases) {
    t.equal(detectCompression(start), expected, name);
    t.equal(
      detectCompression(start.subarray(0, detectionLength)),
      expected,
      `${name}, only what is asked for`,
    );
  }
});

t.test('a decompressor for everything that can be told', async (t) => {
  for (const compression of ['bzip2', 'xz'] as const) {
    t.throws(() => createDecompressor(compression), { code: 'COMPRESSION_UNSUPPORTED' }, compression);
  }
  const data = Buffer.from('as it is');
  t.ok((await through(createDecompressor('none'), data)).equals(data), 'none');
});
