/** The whole import of an image, side by side with what a user would take instead. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { median, runProgram, spread, timeProgram, type Measurement } from './measure.js';

interface Side {
  readonly name: string;
  /** The command that imports into the (new) directory. */
  command(image: string, directory: string): readonly string[];
}

const program = new URL('../bin/layerfs.js', import.meta.url).pathname;

const sides: readonly Side[] = [
  {
    name: 'layerfs',
    command: (image, directory) => [
      process.execPath,
      program,
      '--root',
      join(directory, 'store'),
      'import',
      `oci:${image}`,
      'benchmark',
    ],
  },
  {
    name: 'umoci unpack',
    command: (image, directory) => ['umoci', 'unpack', '--image', image, join(directory, 'bundle')],
  },
  {
    name: 'skopeo copy containers-storage:',
    command: (image, directory) => {
      writeFileSync(join(directory, 'policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}');
      const storage = `[overlay@${join(directory, 'graph')}+${join(directory, 'run')}]`;
      return [
        'skopeo',
        '--policy',
        join(directory, 'policy.json'),
        'copy',
        '-q',
        `oci:${image}`,
        `containers-storage:${storage}localhost/benchmark`,
      ];
    },
  },
];

export interface ImportResult {
  readonly side: string;
  readonly runs: readonly Measurement[];
  /** Of the medians, to layerfs' own. */
  readonly ratio: number;
}

/** Interleaved, so that a slow minute of the machine touches all sides. */
export async function benchmarkImport(image: string, place: string, runs: number): Promise<ImportResult[]> {
  const measured = sides.map(({ name }) => ({ name, runs: [] as Measurement[] }));
  for (let run = 0; run < runs; run++) {
    for (const [i, side] of sides.entries()) {
      const directory = mkdtempSync(join(place, 'layerfs-benchmark-'));
      try {
        await runProgram(['sync', '-f', place]);
        measured[i]?.runs.push(await timeProgram(side.command(image, directory), directory));
      } finally {
        await leaveStorage(directory);
        rmSync(directory, { recursive: true, force: true });
      }
    }
  }
  const own = median(measured[0]?.runs.map(({ seconds }) => seconds) ?? []);
  return measured.map(({ name, runs }) => ({
    side: name,
    runs,
    ratio: own / median(runs.map(({ seconds }) => seconds)),
  }));
}

/** skopeo leaves its storage's directory mounted on itself. */
async function leaveStorage(directory: string): Promise<void> {
  const { stdout } = await runProgram(['findmnt', '-rno', 'TARGET']);
  for (const target of stdout.split('\n').reverse()) {
    if (target.startsWith(`${directory}/`)) await runProgram(['umount', target]);
  }
}

export function importTable(place: string, results: readonly ImportResult[]): string {
  const lines = [`import, ${place}:`];
  for (const { side, runs, ratio } of results) {
    const seconds = runs.map((run) => run.seconds);
    const memory = Math.max(...runs.map(({ peakMemory }) => peakMemory)) / 1e6;
    lines.push(
      `  ${side.padEnd(34)} ${median(seconds).toFixed(2).padStart(7)} s  (${spread(seconds)})` +
        `  layerfs takes ${ratio.toFixed(2)} of it, memory ${memory.toFixed(0)} MB`,
    );
  }
  return lines.join('\n');
}
