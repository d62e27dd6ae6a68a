/**
 * Every cap on untrusted input, with its reason. Input over a cap is refused with LIMIT_EXCEEDED
 * (or the format's own code), never cut short.
 */
const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  /** One PAX or GNU long-name header. Go's archive/tar has the same cap (CVE-2022-2879). */
  paxHeaderSize: 1 * MiB,
  /** PAX headers in a row before a member: real archives have one, plus a global one now and then. */
  consecutiveHeaders: 64,
  /** Regions of a sparse file. A region is at least 512 bytes of map or data in honest archives (CVE-2025-58183). */
  sparseExtents: 65_536,
  /** Length of one file, holes included: 16 TiB is what ext4 holds; beyond it only a disk bomb makes sense. */
  fileSize: 16 * 1024 * 1024 * MiB,
  /** Length of a path in a layer. Twice PATH_MAX: deeper trees are made by walking, longer ones by no honest tool. */
  pathLength: 8192,
  /** Length of one name: the kernel's NAME_MAX. */
  nameLength: 255,
  /** Directories in each other. */
  pathDepth: 1024,
  /** Value of one xattr: the kernel's XATTR_SIZE_MAX. */
  xattrValueSize: 64 * KiB,
  /** Xattrs of one entry; ext4 without ea_inode holds a handful, xfs thousands. */
  xattrCount: 1024,
  /** Entries of one layer. The largest public images have about 2 million. */
  layerEntries: 20_000_000,
  /** Symlinks followed while a path inside a root is resolved: the kernel's own 40. */
  symlinksFollowed: 40,
  /** A manifest or an index. Registries accept 4 MiB. */
  manifestSize: 4 * MiB,
  /** An image config: 16 MiB holds the history of 10,000 layers. */
  configSize: 16 * MiB,
  /** Manifests in one index. */
  indexManifests: 10_000,
  /** Indexes in each other. */
  indexDepth: 4,
  /** Layers of one image. overlayfs mounts 500. */
  imageLayers: 10_000,
  /** Uncompressed over compressed bytes. Zeros compress to about 1:1030 with gzip, real layers to 1:20 at most. */
  expansionRatio: 1_000,
  /** Below this many uncompressed bytes the ratio is not asked: a layer may well hold a file of zeros. */
  expansionFloor: 1024 * MiB,
  /** Window of a zstd frame: what `zstd --ultra -22` writes at most without `--long`. */
  zstdWindow: 128 * MiB,
} as const;
