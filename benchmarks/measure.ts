/** Running programs and reading clocks. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface Measurement {
  /** Wall time in seconds, the sync of the file system included. */
  readonly seconds: number;
  /** Most resident memory of the program itself, in bytes. */
  readonly peakMemory: number;
}

/** Runs a program to its end. @throws Error with what it said where it fails */
export async function runProgram(
  command: readonly string[],
): Promise<{ stdout: string; peakMemory: number }> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-4000)));
  let running = true;
  let peakMemory = 0;
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve(status));
  }).finally(() => (running = false));
  const watch = async (): Promise<void> => {
    while (running) {
      peakMemory = Math.max(peakMemory, memoryOf(child.pid));
      await delay(20);
    }
  };
  const [status] = await Promise.all([ended, watch()]);
  if (status !== 0) throw new Error(`${command.join(' ')}: status ${String(status)}: ${stderr}`);
  return { stdout, peakMemory };
}

/** The kernel's own high-water mark; 0 for a process that has just gone. */
function memoryOf(pid: number | undefined): number {
  try {
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return Number(match?.[1] ?? 0) * 1024;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ENOENT' || code === 'ESRCH') return 0;
    throw error;
  }
}

/** Times a program and the sync after it of the file system that `directory` is on. */
export async function timeProgram(command: readonly string[], directory: string): Promise<Measurement> {
  const start = performance.now();
  const { peakMemory } = await runProgram(command);
  await runProgram(['sync', '-f', directory]);
  return { seconds: (performance.now() - start) / 1000, peakMemory };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[middle - 1], sorted[middle]];
  if (high === undefined) return Number.NaN;
  return sorted.length % 2 === 0 && low !== undefined ? (low + high) / 2 : high;
}

export function spread(values: readonly number[]): string {
  return `${Math.min(...values).toFixed(3)}–${Math.max(...values).toFixed(3)}`;
}
