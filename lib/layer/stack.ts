/** Stored layers, and stacks of them, as drivers are given them. */
import type { HostPath } from '../bytes.js';
import type { Digest } from '../digest.js';
import type { Meta } from './entry.js';
import type { LayerIndex } from './layer-index.js';

/**
 * How a layer is kept: `unpacked`, a directory in the kernel overlayfs upper format; or (a later version) `packed`,
 * the tar as it came.
 */
export type LayerForm = 'unpacked';

/** A complete layer of the store. */
export interface StoredLayer {
  readonly id: string;
  readonly directory: HostPath;
  /** Root of the unpacked form. */
  readonly tree: HostPath;
  /** Reads the layer's index. */
  index(): Promise<LayerIndex>;
}

/** Layers on top of each other, the lowest first. */
export interface LayerStack {
  /** The chainID of the topmost layer; null for a stack without layers. */
  readonly chainId: Digest | null;
  readonly layers: readonly StoredLayer[];
  /** What the stack's root directory looks like. */
  readonly root: Meta;
  /** True where the topmost layer has no entry for the root, so that its own directory may differ from `root`. */
  readonly rootImplied: boolean;
}
