/** The thread in which layers are extracted. */
import { extractLayer, type ExtractResult, type ExtractTask } from '../upper/extract.js';
import { serve } from './serve.js';

serve<ExtractTask, number, ExtractResult>((task, onProgress, signal) =>
  extractLayer(task, { onProgress, signal }),
);
