/** manifest.json of a docker-archive: what `docker save` says of the images in it. */
import { codeOf, messageOf } from '../errors.js';
import { asArray, asObject, asString, asStrings, invalid } from '../image/json.js';
import { parseReference } from '../image/reference.js';
import { limits } from '../limits.js';

export interface DockerManifestItem {
  /** Member of the archive. */
  readonly config: string;
  /** Canonical references. */
  readonly tags: readonly string[];
  /** Members of the archive, bottom first. */
  readonly layers: readonly string[];
}

/** @throws LayerfsError MANIFEST_INVALID naming the field, LIMIT_EXCEEDED */
export function parseDockerManifest(data: Buffer): DockerManifestItem[] {
  let value: unknown;
  try {
    value = JSON.parse(data.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw invalid('manifest.json', `not JSON: ${error.message}`, error);
    throw error;
  }
  return asArray(value, 'manifest.json', limits.indexManifests).map((item, i) =>
    parseItem(item, `manifest.json[${i}]`),
  );
}

function parseItem(value: unknown, at: string): DockerManifestItem {
  const json = asObject(value, at);
  const tags = asStrings(json['RepoTags'] ?? null, `${at}.RepoTags`);
  return {
    config: asString(json['Config'], `${at}.Config`),
    tags: tags.map((tag, i) => canonicalTag(tag, `${at}.RepoTags[${i}]`)),
    layers: asStrings(json['Layers'] ?? null, `${at}.Layers`, limits.imageLayers),
  };
}

function canonicalTag(tag: string, at: string): string {
  try {
    return parseReference(tag).name;
  } catch (error) {
    if (codeOf(error) !== 'REFERENCE_INVALID') throw error;
    throw invalid(at, messageOf(error), error);
  }
}
