/** What a stack shows at a path. */
import type { MergedDirectory } from './directory.js';
import type { Bytes } from '../bytes.js';

/** A record of one layer of a stack. */
export interface RecordPlace {
  /** Position in the stack, 0 at the bottom. */
  readonly layer: number;
  readonly record: number;
}

/**
 * The record that has the attributes and, of a file, the data: never a hardlink or a whiteout. For a directory it is
 * the topmost record that is not implied and, where every one is, the topmost, which then shows the defaults.
 */
export interface StackEntry extends RecordPlace {
  /** What is in it; null for anything but a directory. */
  readonly directory: MergedDirectory | null;
}

export interface NamedEntry extends StackEntry {
  readonly name: Bytes;
}
