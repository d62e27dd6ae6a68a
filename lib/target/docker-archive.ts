/** Writing an image as `docker save` does. */
import { packArchive, type PackMember } from '../archive/pack.js';
import { verified, type Expected } from '../content/verify.js';
import { digestOf, hexOf, type Digest } from '../digest.js';
import { LayerfsError } from '../errors.js';
import type { Reference } from '../image/reference.js';
import { writeOutput, type Output, type OutputOptions } from './output.js';

/** An image to be written. Its manifest is not part of the format: the config's digest is the image's id. */
export interface DockerExport {
  readonly config: Uint8Array;
  /** Bottom first: as many as the config has diffIDs, in their order. The same layer may be there twice. */
  readonly layers: readonly DockerLayer[];
}

/** `digest` and `size` are those of the uncompressed tar: the layer's diffID. */
export interface DockerLayer extends Expected {
  /** The uncompressed tar. It is verified here. */
  read(): AsyncIterable<Uint8Array>;
}

/**
 * Writes an archive that holds this image and nothing else, with layers uncompressed; the same image under the same
 * names gives the same bytes. docker, podman and skopeo load it.
 *
 * @param names each with a tag; without any the image has only its id
 * @throws LayerfsError REFERENCE_INVALID for a name without a tag; SIZE_MISMATCH and DIGEST_MISMATCH where a layer
 *   is not what it should be; as writeOutput
 */
export async function writeDockerArchive(
  image: DockerExport,
  output: Output,
  names: readonly Reference[],
  options: OutputOptions,
): Promise<void> {
  await writeOutput(packArchive(members(image, names.map(repoTag))), output, options);
}

function* members(image: DockerExport, repoTags: readonly string[]): Generator<PackMember> {
  const config = `${hexOf(digestOf(image.config))}.json`;
  const layers = image.layers.map(({ digest }) => layerName(digest));
  const manifest = Buffer.from(JSON.stringify([{ Config: config, RepoTags: repoTags, Layers: layers }]));
  yield { name: 'manifest.json', size: manifest.length, body: [manifest] };
  yield { name: config, size: image.config.length, body: [image.config] };
  for (const layer of new Map(image.layers.map((layer) => [layer.digest, layer])).values()) {
    yield { name: layerName(layer.digest), size: layer.size, body: verified(layer.read(), layer) };
  }
}

function layerName(diffId: Digest): string {
  return `${hexOf(diffId)}.tar`;
}

/** The full spelling, registry included, as skopeo and podman write it. */
function repoTag(name: Reference): string {
  if (name.tag !== undefined) return `${name.registry}/${name.repository}:${name.tag}`;
  throw new LayerfsError('REFERENCE_INVALID', `${name.name}: a docker-archive names its images by tag only`, {
    detail: { reference: name.name },
  });
}
