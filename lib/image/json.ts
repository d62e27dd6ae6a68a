/**
 * Untrusted JSON to typed values. Every refusal is MANIFEST_INVALID and names the field,
 * `manifest.layers[3].size`.
 */
import { LayerfsError } from '../errors.js';

export type JsonObject = Readonly<Record<string, unknown>>;

export function invalid(at: string, problem: string, cause?: unknown): LayerfsError {
  return new LayerfsError('MANIFEST_INVALID', `${at}: ${problem}`, { detail: { field: at }, cause });
}

/**
 * The object a document holds.
 * @throws LayerfsError LIMIT_EXCEEDED over `limit` bytes, MANIFEST_INVALID where it is not a JSON object
 */
export function parseJson(data: Uint8Array, at: string, limit: number): JsonObject {
  if (data.length > limit) {
    throw new LayerfsError('LIMIT_EXCEEDED', `${at}: ${data.length} bytes, the limit is ${limit}`, {
      detail: { field: at, actual: data.length, limit },
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.length).toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw invalid(at, 'is not valid JSON', error);
    throw error;
  }
  return asObject(value, at);
}

export function asObject(value: unknown, at: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw invalid(at, 'must be an object');
}

/** `null` is an empty list: Go writes one for a slice that was never filled. */
export function asArray(value: unknown, at: string, limit: number): readonly unknown[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw invalid(at, 'must be a list');
  if (value.length > limit) {
    throw new LayerfsError('LIMIT_EXCEEDED', `${at}: ${value.length} items, the limit is ${limit}`, {
      detail: { field: at, actual: value.length, limit },
    });
  }
  return value;
}

export function asString(value: unknown, at: string): string {
  if (typeof value === 'string') return value;
  throw invalid(at, 'must be a string');
}

export function asBoolean(value: unknown, at: string): boolean {
  if (typeof value === 'boolean') return value;
  throw invalid(at, 'must be true or false');
}

export function asStrings(value: unknown, at: string, limit = 10_000): readonly string[] {
  return asArray(value, at, limit).map((item, i) => asString(item, `${at}[${i}]`));
}

export function asStringMap(value: unknown, at: string): Readonly<Record<string, string>> {
  const entries = Object.entries(asObject(value, at));
  return Object.fromEntries(
    entries.map(([key, item]) => [key, asString(item, `${at}[${JSON.stringify(key)}]`)]),
  );
}

/** Undefined where the field is absent or `null`, which is how Go writes what is absent. */
export function optional<T>(
  object: JsonObject,
  key: string,
  at: string,
  parse: (value: unknown, at: string) => T,
): T | undefined {
  const value = object[key];
  return value === undefined || value === null ? undefined : parse(value, `${at}.${key}`);
}
