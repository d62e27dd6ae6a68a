/** From plain bytes to compressed ones, the same for the same input, level and version of the library. */
import { PassThrough, type Transform } from 'node:stream';
import { createGzip } from 'node:zlib';
import { LayerfsError } from '../errors.js';
import type { LayerCompression } from '../image/media-type.js';
import { zstdStreams } from './zstd-native.js';

export interface CompressOptions {
  /** gzip: 1 to 9, default 6. zstd: 1 to 22, default 3. */
  readonly level?: number | undefined;
}

/** As for decompression, large chunks make the trips to the thread pool cheap. */
const outputSize = 256 * 1024;

/**
 * A stream that compresses. A gzip header holds no time and no name; a zstd frame ends with a checksum.
 * @throws LayerfsError COMPRESSION_UNSUPPORTED for zstd where zstd-napi is not installed
 */
export function createCompressor(compression: LayerCompression, options: CompressOptions = {}): Transform {
  switch (compression) {
    case 'none':
      return new PassThrough();
    case 'gzip':
      return createGzip({ level: options.level ?? 6, chunkSize: outputSize });
    case 'zstd': {
      const zstd = zstdStreams();
      if (zstd === undefined) {
        throw new LayerfsError(
          'COMPRESSION_UNSUPPORTED',
          'writing zstd needs the optional package zstd-napi, which is not installed or does not fit this machine',
          { detail: { compression } },
        );
      }
      return new zstd.CompressStream({ compressionLevel: options.level ?? 3, checksumFlag: true });
    }
  }
}
