/** The native zstd library, an optional dependency. */
import { createRequire } from 'node:module';
import type * as Zstd from 'zstd-napi';
import type * as Binding from 'zstd-napi/binding.js';
import { codeOf } from '../errors.js';

export type ZstdBinding = typeof Binding;

/** Undefined where zstd-napi is not installed, or its binary does not fit this machine. */
export function zstdBinding(): ZstdBinding | undefined {
  return load('zstd-napi/binding.js') as ZstdBinding | undefined;
}

/** As {@link zstdBinding}, for its streams. */
export function zstdStreams(): typeof Zstd | undefined {
  return load('zstd-napi') as typeof Zstd | undefined;
}

const require = createRequire(import.meta.url);

function load(module: string): unknown {
  try {
    return require(module) as unknown;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'MODULE_NOT_FOUND' || code === 'ERR_DLOPEN_FAILED') return undefined;
    throw error;
  }
}
