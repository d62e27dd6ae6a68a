/** What a store is made of, for the operations that work on all of it. */
import type { NameStore } from '../content/names.js';
import type { ContentStore } from '../content/store.js';
import type { ChainStore } from '../layer/chain-store.js';
import type { LayerStore } from '../layer/layer-store.js';
import type { SnapshotStore } from '../snapshot/snapshot-store.js';
import type { UseStore } from '../snapshot/use.js';
import type { ImageCatalog } from './image-catalog.js';
import type { StoreLayout } from '../layout/layout.js';

export interface StoreParts {
  readonly layout: StoreLayout;
  readonly content: ContentStore;
  readonly names: NameStore;
  readonly images: ImageCatalog;
  readonly layers: LayerStore;
  readonly chains: ChainStore;
  readonly snapshots: SnapshotStore;
  readonly uses: UseStore;
}
