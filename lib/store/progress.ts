/** How long work tells how far it is. */
import type { Digest } from '../digest.js';

/** `queued` and `running` layers are to be worked on; `exists`: the store had it. */
export type LayerState = 'queued' | 'running' | 'done' | 'exists';

export type ProgressEvent =
  | {
      readonly kind: 'layer';
      /** Of the blob. */
      readonly layer: Digest;
      /** Position among the image's layers, from 0. */
      readonly index: number;
      readonly count: number;
      readonly state: LayerState;
      /** Bytes of the blob, as it is compressed. */
      readonly done: number;
      readonly total: number;
    }
  | { readonly kind: 'phase'; readonly phase: string; readonly message: string };
