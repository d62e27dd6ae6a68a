/** AbortSignal, the way every options object of layerfs has it. */
import { LayerfsError } from './errors.js';

export interface Abortable {
  /** Cancels the operation: it rejects with ABORTED and leaves nothing half-made. */
  signal?: AbortSignal | undefined;
}

/** @throws LayerfsError ABORTED */
export function throwIfAborted(signal: AbortSignal | undefined, doing: string): void {
  if (signal?.aborted === true) {
    throw new LayerfsError('ABORTED', `${doing}: cancelled`, { cause: signal.reason });
  }
}
