import { PassThrough, type Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Compression } from './detect.js';

export interface DecompressOptions {
  readonly signal?: AbortSignal | undefined;
}

export function createDecompressor(compression: Compression, _options: DecompressOptions = {}): Transform {
  return compression === 'gzip' ? createGunzip({ chunkSize: 1024 * 1024 }) : new PassThrough();
}
