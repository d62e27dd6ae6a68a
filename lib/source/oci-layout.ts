/** Reading an OCI image layout (OCI image-spec, image-layout.md), whether it is a directory or lies in an archive. */
import type { Abortable } from '../abort.js';
import { algorithmOf, hexOf } from '../digest.js';
import { LayerfsError } from '../errors.js';
import { sizeMismatch } from '../content/verify.js';
import { refNameAnnotation, type Descriptor } from '../image/descriptor.js';
import { asString, invalid, parseJson } from '../image/json.js';
import { parseIndex } from '../image/manifest.js';
import { limits } from '../limits.js';
import { readDocument, readWhole, type BlobLocation } from '../content/location.js';
import { type ImageSource, type SourceRoot, blobMissing, closedSource } from './source.js';

/** Where a file of the layout lies; undefined where there is none of that name. */
export type LocateFile = (name: string) => Promise<BlobLocation | undefined>;

/** Which images of a layout are wanted: those of a name, the one at a position, or all. */
export interface LayoutChoice {
  readonly name?: string;
  readonly position?: number;
}

/** Docker and containerd write the whole reference here and only the tag to `org.opencontainers.image.ref.name`. */
const containerdNameAnnotation = 'io.containerd.image.name';

export class OciLayoutSource implements ImageSource {
  readonly description: string;
  readonly #locate: LocateFile;
  readonly #roots: readonly SourceRoot[];
  readonly #dispose: () => Promise<void>;
  #closed = false;

  private constructor(
    description: string,
    locate: LocateFile,
    roots: readonly SourceRoot[],
    dispose: () => Promise<void>,
  ) {
    this.description = description;
    this.#locate = locate;
    this.#roots = roots;
    this.#dispose = dispose;
  }

  /**
   * Reads what the layout says of itself.
   *
   * @param dispose is called once, when the source is disposed of
   * @throws LayerfsError MANIFEST_INVALID where it is not a layout of version 1, IMAGE_NOT_FOUND, LIMIT_EXCEEDED
   */
  static async open(
    description: string,
    locate: LocateFile,
    choice: LayoutChoice,
    dispose: () => Promise<void>,
  ): Promise<OciLayoutSource> {
    const layout = parseJson(
      await read(description, locate, 'oci-layout'),
      'oci-layout',
      limits.manifestSize,
    );
    const version = asString(layout['imageLayoutVersion'], 'oci-layout.imageLayoutVersion');
    if (!version.startsWith('1.')) throw invalid('oci-layout.imageLayoutVersion', `${version} is not known`);
    const index = parseIndex(await read(description, locate, 'index.json'));
    const roots = choose(description, index.manifests, choice);
    return new OciLayoutSource(description, locate, roots, dispose);
  }

  async roots(): Promise<readonly SourceRoot[]> {
    this.#assertOpen();
    return this.#roots;
  }

  async readBlob(descriptor: Descriptor, limit: number, options: Abortable = {}): Promise<Buffer> {
    return readDocument(await this.locateBlob(descriptor), descriptor, limit, options);
  }

  async locateBlob(descriptor: Descriptor): Promise<BlobLocation> {
    this.#assertOpen();
    const { digest, size } = descriptor;
    const location = await this.#locate(`blobs/${algorithmOf(digest)}/${hexOf(digest)}`);
    if (location === undefined) throw blobMissing(this.description, descriptor);
    if (location.size !== size) throw sizeMismatch(descriptor, String(location.size));
    return location;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#dispose();
  }

  #assertOpen(): void {
    if (this.#closed) throw closedSource(this.description);
  }
}

async function read(description: string, locate: LocateFile, name: string): Promise<Buffer> {
  const location = await locate(name);
  if (location === undefined) {
    throw new LayerfsError(
      'MANIFEST_INVALID',
      `${description} is not an OCI image layout: it has no ${name}`,
      {
        detail: { field: name },
      },
    );
  }
  return readWhole(location, name, limits.manifestSize);
}

function choose(description: string, manifests: readonly Descriptor[], choice: LayoutChoice): SourceRoot[] {
  const roots = manifests.map((descriptor) => ({ descriptor, names: namesOf(descriptor) }));
  const { name, position } = choice;
  const chosen = roots.filter(
    (root, i) =>
      (position === undefined || i === position) && (name === undefined || root.names.includes(name)),
  );
  if (chosen.length > 0) {
    return chosen.map(({ descriptor, names: [first] }) =>
      first === undefined ? { descriptor } : { descriptor, name: first },
    );
  }
  throw imageNotFound(
    description,
    roots.map(({ names }) => names[0]),
  );
}

/** The fullest name first. */
function namesOf({ annotations = {} }: Descriptor): string[] {
  const names = [annotations[containerdNameAnnotation], annotations[refNameAnnotation]];
  return names.filter((name) => name !== undefined && name !== '') as string[];
}

/** @param names of the images there are, in order; undefined for one without a name */
export function imageNotFound(description: string, names: readonly (string | undefined)[]): LayerfsError {
  const spelled = names.map((name, i) => name ?? `@${i}`);
  const there = spelled.length === 0 ? 'it holds no image' : `there are: ${spelled.join(', ')}`;
  return new LayerfsError('IMAGE_NOT_FOUND', `${description}: no such image; ${there}`, {
    detail: { images: spelled },
  });
}
