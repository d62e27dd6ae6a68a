/** Names of images: one file for each reference, so that no damage and no writer touches more than one. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostPath } from '../bytes.js';
import { digestOf, hexOf } from '../digest.js';
import { codeOf, LayerfsError, messageOf, wrapError } from '../errors.js';
import { removeFileDurable, writeFileAtomic, type Durability } from '../fs/atomic.js';
import { parseDescriptor, type Descriptor } from '../image/descriptor.js';
import { asString, parseJson } from '../image/json.js';

export interface NamedImage {
  /** Canonical reference. */
  readonly name: string;
  /** Of a manifest or an index: media type, digest and size. */
  readonly descriptor: Descriptor;
}

/** A record is a few hundred bytes. */
const recordLimit = 64 * 1024;

/**
 * What names stand for. Every change is atomic and, unless the store is volatile, durable. The directory must
 * exist.
 */
export class NameStore {
  readonly #directory: HostPath;
  readonly #durability: Durability;

  constructor(directory: HostPath, options: Durability) {
    this.#directory = directory;
    this.#durability = { durable: options.durable };
  }

  /**
   * What a name stands for; undefined where nobody has set it.
   * @throws LayerfsError STORE_INVALID where the record is damaged; `set` and `delete` repair that
   */
  async get(name: string): Promise<Descriptor | undefined> {
    return (await this.#read(fileNameOf(name)))?.descriptor;
  }

  /** Makes a name stand for a manifest or an index, instead of what it stood for. */
  async set(name: string, { mediaType, digest, size }: Descriptor): Promise<void> {
    const path = join(this.#directory, fileNameOf(name));
    await writeFileAtomic(path, JSON.stringify({ name, mediaType, digest, size }), this.#durability);
  }

  /** Forgets a name; one that is not there is no error. */
  async delete(name: string): Promise<void> {
    await removeFileDurable(join(this.#directory, fileNameOf(name)), this.#durability);
  }

  /**
   * All names, in the order of their characters.
   * @param onDamaged told of each damaged record, which is then left out; without it a damaged record rejects
   * @throws LayerfsError STORE_INVALID naming the first damaged record
   */
  async list(onDamaged?: (error: LayerfsError) => void): Promise<NamedImage[]> {
    const images: NamedImage[] = [];
    for (const file of await readdir(this.#directory)) {
      // No record's name begins with a dot; what does is being written.
      if (file.startsWith('.')) continue;
      try {
        const image = await this.#read(file);
        if (image !== undefined) images.push(image);
      } catch (error) {
        if (onDamaged === undefined || !(error instanceof LayerfsError) || error.code !== 'STORE_INVALID')
          throw error;
        onDamaged(error);
      }
    }
    return images.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async #read(file: string): Promise<NamedImage | undefined> {
    let data: Buffer;
    try {
      data = await readFile(join(this.#directory, file));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw wrapError(error, `read names/${file}`);
    }
    try {
      const json = parseJson(data, 'record', recordLimit);
      const name = asString(json['name'], 'record.name');
      if (fileNameOf(name) !== file) throw damaged(file, `holds the name ${JSON.stringify(name)}`);
      return { name, descriptor: parseDescriptor(json, 'record') };
    } catch (error) {
      if (!(error instanceof LayerfsError) || error.code === 'STORE_INVALID') throw error;
      throw damaged(file, messageOf(error), error);
    }
  }
}

/** The longest name of a file that Linux has. */
const nameMax = 255;

/**
 * The name of a reference's file: percent-encoded UTF-8, so that `/` and `:` are no path and two names are
 * never one file. One that would be too long goes by its digest, with a prefix that no encoded name has; the
 * record holds the name in both cases.
 */
function fileNameOf(name: string): string {
  const encoded = encodeURIComponent(name).replace(/^\./, '%2E');
  return encoded.length <= nameMax && encoded !== '' ? encoded : `%sha256-${hexOf(digestOf(name))}`;
}

function damaged(file: string, problem: string, cause?: unknown): LayerfsError {
  return new LayerfsError('STORE_INVALID', `names/${file}: ${problem}`, { detail: { file }, cause });
}
