/** The union rules for one name, and nothing else. */
import type { LayerIndex } from '../layer/layer-index.js';
import type { RecordPlace } from './entry.js';

/**
 * What a stack has under one name, told what each layer has there from the top down. A whiteout, or anything that is
 * no directory, hides what is below. An opaque directory hides the lower directories' children, not their attributes,
 * which show where it has none of its own (OCI image-spec, layer.md, "Whiteouts").
 */
export class Merge {
  /** No layer further down can matter. */
  done = false;
  isDirectory = false;
  /** The directories whose children show, top first. */
  readonly parts: RecordPlace[] = [];
  #top: RecordPlace | null = null;
  #attributes: RecordPlace | null = null;
  #opaque = false;

  add(index: LayerIndex, at: RecordPlace): void {
    const kind = index.kind(at.record);
    if (kind !== 'directory') {
      this.done = true;
      if (kind !== 'whiteout') this.#top ??= at;
      return;
    }
    this.isDirectory = true;
    this.#top ??= at;
    if (!this.#opaque) this.parts.push(at);
    if (index.opaque(at.record)) this.#opaque = true;
    if (!index.implied(at.record)) this.#attributes ??= at;
    this.done = this.#opaque && this.#attributes !== null;
  }

  /** The record that shows; null for nothing. A directory that is implied throughout shows the topmost's defaults. */
  get record(): RecordPlace | null {
    return this.#attributes ?? this.#top;
  }
}
