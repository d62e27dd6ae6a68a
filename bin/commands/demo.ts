import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Context } from '../context.js';
import { tellStory } from '../demo/story.js';

export function define(command: Command, context: Context): void {
  command.action(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'layerfs-demo-'));
    try {
      const store = await context.open({ root: join(directory, 'store'), durable: false });
      try {
        const outcome = await tellStory(store, directory, {
          signal: context.signal,
          say: async (text) => (context.json || context.quiet ? undefined : context.write(text)),
        });
        await context.print(outcome, () => '');
      } finally {
        await store.unmountAll();
        await store.close();
      }
    } finally {
      await removeUnlessMounted(directory);
    }
  });
}

/** Deleting must not reach through a mount into what is mounted: where one is left, everything is. */
async function removeUnlessMounted(directory: string): Promise<void> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  if (mounts.includes(`${directory}/`)) throw new Error(`something is still mounted below ${directory}`);
  await rm(directory, { recursive: true, force: true });
}
