/** Other tools on this machine, for tests that compare with them. */
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** False, or why a test that needs these tools is skipped: to be given to tap as `skip`. */
export async function lacking(...tools: readonly string[]): Promise<string | false> {
  const missing: string[] = [];
  for (const tool of tools) if (!(await isInstalled(tool))) missing.push(tool);
  return missing.length === 0 ? false : `not installed: ${missing.join(', ')}`;
}

async function isInstalled(tool: string): Promise<boolean> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    try {
      await access(join(directory, tool), constants.X_OK);
      return true;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  }
  return false;
}

/** What the tool writes to standard output; rejects with what it wrote to standard error where it fails. */
export async function tool(name: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(name, args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}
