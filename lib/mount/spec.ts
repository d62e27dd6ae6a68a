/** A mount as plain data, in containerd's form: made by drivers, performed by them or by a runtime elsewhere. */
export interface MountSpec {
  /** The file-system type; `bind` for a bind mount. */
  readonly type: string;
  /** A directory, a device, or a name where the type has no source. */
  readonly source: string;
  /** As in fstab, one option a string: `ro`, `lowerdir=/a:/b`. A path's backslashes, colons and commas are escaped. */
  readonly options: readonly string[];
}
