/** Image configurations (OCI image-spec, config.md). */
import type { Digest } from '../digest.js';
import { limits } from '../limits.js';
import { digestAt } from './descriptor.js';
import {
  asArray,
  asBoolean,
  asObject,
  asString,
  asStringMap,
  asStrings,
  invalid,
  optional,
  parseJson,
  type JsonObject,
} from './json.js';
import type { Manifest } from './manifest.js';

export interface ImageConfig {
  readonly created?: string | undefined;
  readonly author?: string | undefined;
  /** Empty where the config does not say: images built from nothing by old tools. */
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string | undefined;
  readonly config: RunConfig;
  /** Digests of the uncompressed layers, bottom first. */
  readonly diffIds: readonly Digest[];
  readonly history: readonly HistoryEntry[];
  /** The whole document, with the fields that layerfs does not know. */
  readonly json: JsonObject;
}

/** What a container of the image is started with. */
export interface RunConfig {
  readonly User?: string | undefined;
  readonly Env?: readonly string[] | undefined;
  readonly Entrypoint?: readonly string[] | undefined;
  readonly Cmd?: readonly string[] | undefined;
  readonly WorkingDir?: string | undefined;
  readonly StopSignal?: string | undefined;
  readonly Labels?: Readonly<Record<string, string>> | undefined;
  readonly ExposedPorts?: readonly string[] | undefined;
  readonly Volumes?: readonly string[] | undefined;
}

export interface HistoryEntry {
  readonly created?: string | undefined;
  readonly created_by?: string | undefined;
  readonly author?: string | undefined;
  readonly comment?: string | undefined;
  readonly empty_layer?: boolean | undefined;
}

/**
 * The config of an image. Only for media types of which isConfigMediaType is true: an artifact's is never
 * parsed.
 * @throws LayerfsError MANIFEST_INVALID, DIGEST_INVALID, LIMIT_EXCEEDED
 */
export function parseConfig(data: Uint8Array): ImageConfig {
  const json = parseJson(data, 'config', limits.configSize);
  const rootfs = asObject(json['rootfs'], 'config.rootfs');
  if (rootfs['type'] !== 'layers') throw invalid('config.rootfs.type', 'must be "layers"');
  const diffIds = asArray(rootfs['diff_ids'], 'config.rootfs.diff_ids', limits.imageLayers);
  const history = json['history'] ?? null;
  return {
    created: optional(json, 'created', 'config', asString),
    author: optional(json, 'author', 'config', asString),
    architecture: optional(json, 'architecture', 'config', asString) ?? '',
    os: optional(json, 'os', 'config', asString) ?? '',
    variant: optional(json, 'variant', 'config', asString),
    config: optional(json, 'config', 'config', runConfigOf) ?? {},
    diffIds: diffIds.map((diffId, i) => digestAt(diffId, `config.rootfs.diff_ids[${i}]`)),
    history: asArray(history, 'config.history', 10 * limits.imageLayers).map((entry, i) =>
      historyOf(entry, `config.history[${i}]`),
    ),
    json,
  };
}

/**
 * @throws LayerfsError MANIFEST_INVALID where the manifest and the config do not have the same number of layers
 */
export function checkLayerCount(manifest: Manifest, config: ImageConfig): void {
  const [layers, diffIds] = [manifest.layers.length, config.diffIds.length];
  if (layers !== diffIds) {
    throw invalid('manifest.layers', `has ${layers} layers, but config.rootfs.diff_ids has ${diffIds}`);
  }
}

/** What is odd about the history, for a warning: it is optional and may be wrong, and nothing depends on it. */
export function historyMismatch(config: ImageConfig): string | undefined {
  const filled = config.history.filter((entry) => entry.empty_layer !== true).length;
  if (config.history.length === 0 || filled === config.diffIds.length) return undefined;
  return `config.history tells of ${filled} layers, but the image has ${config.diffIds.length}`;
}

function runConfigOf(value: unknown, at: string): RunConfig {
  const json = asObject(value, at);
  const keys = (set: unknown, where: string): string[] => Object.keys(asObject(set, where));
  return {
    User: optional(json, 'User', at, asString),
    Env: optional(json, 'Env', at, asStrings),
    Entrypoint: optional(json, 'Entrypoint', at, asStrings),
    Cmd: optional(json, 'Cmd', at, asStrings),
    WorkingDir: optional(json, 'WorkingDir', at, asString),
    StopSignal: optional(json, 'StopSignal', at, asString),
    Labels: optional(json, 'Labels', at, asStringMap),
    ExposedPorts: optional(json, 'ExposedPorts', at, keys),
    Volumes: optional(json, 'Volumes', at, keys),
  };
}

function historyOf(value: unknown, at: string): HistoryEntry {
  const json = asObject(value, at);
  return {
    created: optional(json, 'created', at, asString),
    created_by: optional(json, 'created_by', at, asString),
    author: optional(json, 'author', at, asString),
    comment: optional(json, 'comment', at, asString),
    empty_layer: optional(json, 'empty_layer', at, asBoolean),
  };
}
