/** A store of a test's own, with images made from values and places to mount them. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ImportOptions, MountOptions, MountResult, Store } from '../../index.js';
import type { HostPath } from '../../lib/bytes.js';
import { removeTree } from '../../lib/fs/remove.js';
import { writeLayout, type ImagePlan } from '../support/oci.js';
import { makeScratchDirectory } from '../support/scratch.js';
import { readTree, type TreeEntry } from '../support/tree.js';
import { Oracle } from './oracle.js';
import type { Subject } from './subject.js';
import type { Layer } from '../support/tarball.js';

export interface Mounted {
  /** Where it is mounted. */
  readonly at: HostPath;
  /** The snapshot's id; of a view `''`. */
  readonly snapshot: string;
  /** A path below the mount point. */
  path(...names: readonly string[]): HostPath;
}

/** Disposing of it unmounts everything and deletes it; a mount that it does not know of makes that fail. */
export class Workspace implements AsyncDisposable {
  readonly directory: HostPath;
  readonly store: Store;
  #directories = 0;

  private constructor(directory: HostPath, store: Store) {
    this.directory = directory;
    this.store = store;
  }

  /** @param place of the store in the workspace */
  static async create(subject: Pick<Subject, 'open'>, place = 'store'): Promise<Workspace> {
    const directory = makeScratchDirectory();
    return new Workspace(directory, await subject.open(join(directory, place)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.unmountAll({ lazy: true });
    await this.store.close();
    await removeTree(this.directory);
  }

  /** A new, empty directory. */
  newDirectory(): HostPath {
    const path = join(this.directory, `directory-${this.#directories++}`);
    mkdirSync(path);
    return path;
  }

  /** Imports all images at once, each as `test:TAG`. */
  async import(images: readonly ImagePlan[], options: ImportOptions = {}): Promise<void> {
    await this.store.import(`oci:${this.layout(images)}`, undefined, options);
  }

  /** Imports one image. @returns its name */
  async importImage(...layers: ImagePlan['layers']): Promise<string> {
    const tag = `image-${this.#directories}`;
    await this.import([{ tag, layers }]);
    return `test:${tag}`;
  }

  /** An OCI layout of the images. */
  layout(images: readonly ImagePlan[]): HostPath {
    return writeLayout(join(this.newDirectory(), 'test'), images);
  }

  /** Mounts, lets `use` look and write, and unmounts. @param name null to mount a snapshot again */
  async mounted<T>(
    name: string | null,
    options: MountOptions,
    use: (mounted: Mounted) => T | Promise<T>,
  ): Promise<T> {
    const mounted = await this.mount(name, options);
    try {
      return await use(mounted);
    } finally {
      await this.store.unmount(mounted.at);
    }
  }

  /** Mounts until the workspace is disposed of. */
  async mount(name: string | null, options: MountOptions = {}): Promise<Mounted> {
    const { snapshot, mountpoint }: MountResult = await this.store.mount(name, this.newDirectory(), options);
    return {
      at: mountpoint,
      snapshot: snapshot ?? '',
      path: (...names) => join(mountpoint, ...names),
    };
  }

  /** What a view of an image shows. */
  view(name: string): Promise<TreeEntry[]> {
    return this.mounted(name, { readOnly: true }, ({ at }) => readTree(at));
  }

  /** What a snapshot shows; a new one of an image, or one that exists. */
  snapshot(name: string | null, snapshot?: string): Promise<TreeEntry[]> {
    return this.mounted(name, { snapshot }, ({ at }) => readTree(at));
  }

  /** What the layers come to when they are applied one after another to a directory. */
  expected(layers: readonly Layer[]): TreeEntry[] {
    const directory = this.newDirectory();
    new Oracle(directory).apply(...layers);
    return readTree(directory);
  }
}
