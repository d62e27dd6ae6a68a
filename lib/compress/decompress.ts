/** From compressed bytes to plain ones, whatever the compression. */
import { addAbortSignal, PassThrough, type Transform } from 'node:stream';
import type { Abortable } from '../abort.js';
import { LayerfsError } from '../errors.js';
import { xxhash } from '../hash.js';
import type { Compression } from './detect.js';
import { GunzipStream } from './gunzip.js';
import { UnzstdStream } from './unzstd.js';
import { NativeZstdDecoder, type ZstdDecoder } from './zstd-decoder.js';
import { FzstdDecoder } from './zstd-frames.js';
import { zstdBinding } from './zstd-native.js';

/**
 * A stream that decompresses. It takes in and gives out large chunks, so that it costs little beside the
 * decompression itself; feed it through `pipeline` in chunks of 256 KiB or more. It fails with
 * COMPRESSION_INVALID for data that is damaged, truncated or followed by anything but zero bytes, and for
 * bombs; with ABORTED by the signal.
 * @throws LayerfsError COMPRESSION_UNSUPPORTED for bzip2 and xz
 */
export function createDecompressor(compression: Compression, options: Abortable = {}): Transform {
  const stream = decompressorOf(compression);
  return options.signal === undefined ? stream : addAbortSignal(options.signal, stream);
}

function decompressorOf(compression: Compression): Transform {
  switch (compression) {
    case 'none':
      return new PassThrough();
    case 'gzip':
      return new GunzipStream();
    case 'zstd':
      return new UnzstdStream(zstdDecoder);
    case 'bzip2':
    case 'xz':
      throw new LayerfsError(
        'COMPRESSION_UNSUPPORTED',
        `${compression} cannot be read: decompress it first, or compress it with gzip or zstd`,
        { detail: { compression } },
      );
  }
}

async function zstdDecoder(): Promise<ZstdDecoder> {
  const binding = zstdBinding();
  return binding === undefined ? new FzstdDecoder(await xxhash()) : new NativeZstdDecoder(binding);
}
