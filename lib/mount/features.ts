/** What the running kernel can do of what layerfs makes use of. */
import { bytes } from '../bytes.js';
import {
  AT_FDCWD,
  O_DIRECTORY,
  O_RDONLY,
  RESOLVE_BENEATH,
  SystemError,
  close,
  listmount,
  mountNamespaceId,
  tryOpenat2,
} from '../sys/index.js';

export function kernelFeatures(): Readonly<Record<string, boolean>> {
  return {
    openat2: hasOpenat2(),
    // Linux 6.8 and 6.11: whose a mount is, without reading tables.
    uniqueMountIds: hasListmount(),
    mountNamespaceIds: mountNamespaceId() !== undefined,
  };
}

function hasOpenat2(): boolean {
  const fd = tryOpenat2(AT_FDCWD, bytes('.'), { flags: O_RDONLY | O_DIRECTORY, resolve: RESOLVE_BENEATH });
  if (fd >= 0) close(fd);
  return fd >= 0;
}

function hasListmount(): boolean {
  try {
    listmount();
    return true;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return false;
  }
}
