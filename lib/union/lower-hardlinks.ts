/** Hardlinks to files of lower layers, found once for a whole stack. */
import { display } from '../bytes.js';
import { LayerfsError } from '../errors.js';
import { mergedRoot } from './directory.js';
import type { Layers } from './layers.js';
import { resolveFrom } from './resolve.js';

/**
 * Finds the file that each such hardlink names: what the layers below it show at its target, symlinks followed but for
 * the last component. From the bottom up, so that a link to such a link, or through one, finds it known already:
 * a hostile stack cannot make this more than one resolution for each link.
 * @throws LayerfsError ENTRY_INVALID where there is no file
 */
export function findLowerFiles(layers: Layers): void {
  for (let layer = 0; layer < layers.count; layer++) {
    const index = layers.at(layer);
    if (!index.context.lowerHardlinks) continue;
    const root = mergedRoot(layers, layer);
    for (let record = 0; record < index.count; record++) {
      const target = index.lowerTarget(record);
      if (target === null) continue;
      const found = root === null ? null : (resolveFrom(layers, root, target, false)?.entry ?? null);
      if (found === null || found.directory !== null) {
        const path = index.path(record);
        throw new LayerfsError(
          'ENTRY_INVALID',
          `${display(path)} is a hardlink to ${display(target)}, which is no file of the layers below`,
          { detail: { layer, path, target } },
        );
      }
      layers.setLowerFile({ layer, record }, { layer: found.layer, record: found.record });
    }
  }
}
