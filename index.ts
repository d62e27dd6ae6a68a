/**
 * layerfs: container image layers, stored, shown at a path, and written to.
 *
 *     import { open } from 'layerfs';
 *     await using store = await open();
 *     await store.import('oci:/images/debian:12', 'debian:12');
 *     const { snapshot } = await store.mount('debian:12', '/mnt');
 *
 * This file puts the store and the drivers together; nothing else knows both.
 */
import { resolve } from 'node:path';
import { automatic, drivers, isDriverName } from './drivers/index.js';
import { throwIfAborted, type Abortable } from './lib/abort.js';
import { LayerfsError } from './lib/errors.js';
import { defaultRoot } from './lib/layout/layout.js';
import { Store } from './lib/store/store.js';

export interface OpenOptions extends Abortable {
  /** Default: LAYERFS_ROOT, else /var/lib/layerfs for root and `$XDG_DATA_HOME/layerfs` for others. */
  root?: string | undefined;
  /** `auto` (the default), `overlay` or `vfs`. */
  driver?: string | undefined;
  /** Whether what resolves survives a loss of power. Default true; false is faster. */
  durable?: boolean | undefined;
}

/**
 * Opens a store, and makes it where there is none.
 * @throws LayerfsError STORE_VERSION, STORE_INVALID, DRIVER_UNKNOWN, PERMISSION, NO_SPACE, FILESYSTEM, ABORTED
 */
export async function open(options: OpenOptions = {}): Promise<Store> {
  throwIfAborted(options.signal, 'open');
  const root = options.root === undefined ? defaultRoot() : resolve(options.root);
  return Store.open(
    { root, durable: options.durable ?? true, driver: options.driver ?? 'auto' },
    (context) => ({
      names: Object.keys(drivers),
      automatic,
      load: async (name) => {
        if (!isDriverName(name)) throw new LayerfsError('DRIVER_UNKNOWN', `there is no driver ${name}`);
        return drivers[name](context(name));
      },
    }),
  );
}

export { LayerfsError, errorCodes, type Detail, type ErrorCode } from './lib/errors.js';
export { bufferOf, display, textOf, type Bytes, type LayerPath } from './lib/bytes.js';
export type { Digest } from './lib/digest.js';
export type { Supports } from './lib/driver.js';
export { parseReference, type Reference } from './lib/image/reference.js';
export type { ExportOptions, ExportResult } from './lib/store/export.js';
export type { ImportOptions, ImportResult, Warning } from './lib/store/import.js';
export type { ProgressEvent } from './lib/store/progress.js';
export type { ListEntry, ListOptions } from './lib/store/list.js';
export type { MountInfo, MountOptions, MountResult } from './lib/store/mounts.js';
export type { HistoryInfo, ImageDetail, ImageInfo, LayerInfo, StoreUsage } from './lib/store/describe.js';
export {
  version,
  type DriverInfo,
  type SnapshotInfo,
  type Store,
  type StoreInfo,
} from './lib/store/store.js';
