/** Names of the files in a layer's directory (docs/format.md). */
export const layerFiles = {
  record: 'layer.json',
  index: 'index',
  tree: 'tree',
  /** Every byte of the tar that is no file's data, compressed with gzip: lib/tar/raw.ts. */
  tarFrame: 'tar-frame.gz',
} as const;
