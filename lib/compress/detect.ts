/** Compression by magic number: the media type of a layer may lie about it, its first bytes do not. */

export type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

/** As many first bytes as detectCompression may ask for. */
export const detectionLength = 10;

/** How data that begins with `start` is compressed. Data shorter than a magic number is taken as it is. */
export function detectCompression(start: Uint8Array): Compression {
  const bytes = Buffer.from(start.buffer, start.byteOffset, Math.min(start.length, detectionLength)).toString(
    'latin1',
  );
  for (const [compression, magic] of magics) if (magic.test(bytes)) return compression;
  return 'none';
}

const magics: readonly (readonly [Compression, RegExp])[] = [
  // RFC 1952, with the only method there is: deflate
  ['gzip', /^\x1f\x8b\x08/],
  // RFC 8878: a Zstandard frame or a skippable frame
  ['zstd', /^(?:\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18)/],
  // With the magic of the first block, or of the end where there is none: a tar may begin with a file called BZh1
  ['bzip2', /^BZh[1-9](?:\x31\x41\x59\x26\x53\x59|\x17\x72\x45\x38\x50\x90)/],
  ['xz', /^\xfd7zXZ\x00/],
];
