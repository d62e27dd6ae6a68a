import type { LayerIndex } from '../layer/layer-index.js';

/** @throws RangeError where the stack has no such layer: a programmer's mistake */
export function layerAt(layers: readonly LayerIndex[], layer: number): LayerIndex {
  const index = layers[layer];
  if (index === undefined) throw new RangeError(`no layer ${layer} in a stack of ${layers.length}`);
  return index;
}
