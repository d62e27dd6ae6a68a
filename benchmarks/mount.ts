/** How long it takes from the call to the mount. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { open } from '../index.js';
import { median, runProgram, spread } from './measure.js';

const program = new URL('../bin/layerfs.js', import.meta.url).pathname;

export interface MountResult {
  readonly what: string;
  /** Milliseconds. */
  readonly runs: readonly number[];
}

/**
 * @param deep an OCI layout of many layers, for mounts through the library
 * @param image any OCI layout, for mounts through the command line
 */
export async function benchmarkMount(
  deep: string,
  image: string,
  place: string,
  runs: number,
): Promise<MountResult[]> {
  const directory = mkdtempSync(join(place, 'layerfs-benchmark-'));
  const root = join(directory, 'store');
  const mountpoint = join(directory, 'mnt');
  mkdirSync(mountpoint);
  const views: number[] = [];
  const snapshots: number[] = [];
  const commands: number[] = [];
  try {
    await using store = await open({ root });
    await store.import(`oci:${deep}`, 'deep');
    await store.import(`oci:${image}`, 'image');
    const layers = (await store.inspect('deep')).layers.length;
    for (let run = 0; run < runs + 2; run++) {
      for (const [times, readOnly] of [
        [views, true],
        [snapshots, false],
      ] as const) {
        const start = performance.now();
        const { snapshot } = await store.mount('deep', mountpoint, { readOnly });
        // The first two warm up.
        if (run >= 2) times.push(performance.now() - start);
        await store.unmount(mountpoint);
        if (snapshot !== null) await store.removeSnapshots([snapshot]);
      }
    }
    for (let run = 0; run < runs + 1; run++) {
      const start = performance.now();
      await runProgram([
        process.execPath,
        program,
        '--root',
        root,
        'mount',
        '--read-only',
        'image',
        mountpoint,
      ]);
      if (run >= 1) commands.push(performance.now() - start);
      await store.unmount(mountpoint);
    }
    return [
      { what: `library: view of ${layers} layers`, runs: views },
      { what: `library: new snapshot of ${layers} layers`, runs: snapshots },
      { what: 'command line: view of the image', runs: commands },
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export function mountTable(place: string, results: readonly MountResult[]): string {
  const lines = [`mount, ${place}:`];
  for (const { what, runs } of results) {
    lines.push(`  ${what.padEnd(40)} ${median(runs).toFixed(1).padStart(7)} ms  (${spread(runs)})`);
  }
  return lines.join('\n');
}
