/** Writing an image as an OCI image layout in a tar. */
import { packArchive, type PackMember } from '../archive/pack.js';
import { blobName, distinct, newIndex, ociLayout, type OciExport } from './oci-layout.js';
import { writeOutput, type Output, type OutputOptions } from './output.js';

/**
 * Writes an archive that holds this image and nothing else; the same image under the same name gives the same
 * bytes. What a reader needs first comes first: index.json, then the blobs in the order of `image.blobs`.
 *
 * @param name for the annotation `org.opencontainers.image.ref.name`; without it the image has no name there
 * @throws LayerfsError as writeOutput, SIZE_MISMATCH, and whatever `image.read` throws
 */
export async function writeOciArchive(
  image: OciExport,
  output: Output,
  name: string | undefined,
  options: OutputOptions,
): Promise<void> {
  await writeOutput(packArchive(members(image, name)), output, options);
}

function* members(image: OciExport, name: string | undefined): Generator<PackMember> {
  const index = newIndex(image.root, name);
  yield { name: 'oci-layout', size: ociLayout.length, body: [ociLayout] };
  yield { name: 'index.json', size: index.length, body: [index] };
  for (const blob of distinct(image.blobs)) {
    yield { name: blobName(blob.digest), size: blob.size, body: image.read(blob) };
  }
}
