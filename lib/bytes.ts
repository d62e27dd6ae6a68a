/**
 * Names are bytes. A `Bytes` string holds one byte in each character (latin1), so that names which are not
 * UTF-8 survive, compare in byte order, and serve as Map keys. It is never shown to people as it is: see `display`.
 */

declare const bytesBrand: unique symbol;
declare const layerPathBrand: unique symbol;

/** A string of bytes: every character is below 256. */
export type Bytes = string & { readonly [bytesBrand]: true };

/**
 * A path inside a layer or a stack: relative, `/` between components, no `.`, `..` or empty component,
 * `''` for the root itself.
 */
export type LayerPath = Bytes & { readonly [layerPathBrand]: true };

/** A path on the host as Node spells it (UTF-8). */
export type HostPath = string;

export const rootPath = '' as LayerPath;

const ascii = /^[\x00-\x7f]*$/;

/** The bytes of a string of ours (UTF-8). */
export function bytes(text: string): Bytes {
  return (ascii.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')) as Bytes;
}

export function bytesOf(buffer: Uint8Array, start = 0, end = buffer.length): Bytes {
  return Buffer.from(buffer.buffer, buffer.byteOffset, buffer.length).toString('latin1', start, end) as Bytes;
}

export function bufferOf(value: Bytes): Buffer {
  return Buffer.from(value, 'latin1');
}

/** The text where the bytes are valid UTF-8, else undefined. */
export function textOf(value: Bytes): string | undefined {
  if (ascii.test(value)) return value;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bufferOf(value));
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** For people: UTF-8 text with control bytes, backslashes and invalid bytes escaped as `\xHH`. */
export function display(value: Bytes): string {
  const text = textOf(value);
  const hex = (c: string): string => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;
  if (text === undefined) return value.replace(/[^\x20-\x7e]|\\/g, hex);
  return text.replace(/[\x00-\x1f\x7f-\x9f\\]/g, hex);
}

export function joinPath(parent: LayerPath, name: Bytes): LayerPath {
  return (parent === '' ? name : `${parent}/${name}`) as LayerPath;
}

export function parentOf(path: LayerPath): LayerPath {
  const slash = path.lastIndexOf('/');
  return (slash < 0 ? '' : path.slice(0, slash)) as LayerPath;
}

export function baseOf(path: LayerPath): Bytes {
  return path.slice(path.lastIndexOf('/') + 1) as Bytes;
}
