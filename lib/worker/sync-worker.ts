/** A thread that waits for the disk, so that no other has to. */
import type { HostPath } from '../bytes.js';
import { syncFileSystem } from '../fs/sync.js';
import { serve } from './serve.js';

serve<HostPath, never, null>(async (directory) => {
  syncFileSystem(directory);
  return null;
});
