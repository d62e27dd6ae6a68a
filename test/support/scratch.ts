/** Directories for tests with real files: in memory where that file system takes what layers hold. */
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytes, type HostPath } from '../../lib/bytes.js';
import { codeOf } from '../../lib/errors.js';
import { lsetxattr } from '../../lib/sys/index.js';

let chosen: HostPath | undefined;

/** A new directory; whoever makes it deletes it. */
export function makeScratchDirectory(): HostPath {
  chosen ??= takesXattrs('/dev/shm') ? '/dev/shm' : tmpdir();
  return mkdtempSync(join(chosen, 'layerfs-test-'));
}

function takesXattrs(parent: HostPath): boolean {
  try {
    accessSync(parent, constants.W_OK);
    const directory = mkdtempSync(join(parent, 'layerfs-test-'));
    try {
      for (const namespace of ['trusted', 'user']) {
        lsetxattr(bytes(directory), bytes(`${namespace}.test`), Buffer.from('1'));
      }
      return true;
    } finally {
      rmSync(directory, { recursive: true });
    }
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return false;
  }
}
