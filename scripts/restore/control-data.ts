/** What a data folder says of itself, also while no server runs on it: pg_controldata. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { VERSION_MS } from './limits.ts';
import type { Tools } from './tools.ts';

const run = promisify(execFile);

/** By the names that it prints. @throws when the folder has no cluster, or belongs to somebody else */
export async function readControlData(tools: Tools, dataFolder: string, shared: readonly string[]) {
  const line = tools.command(path.join(tools.bin, 'pg_controldata'), ['-D', dataFolder], shared);
  const { stdout } = await run(line.command, line.args, { timeout: VERSION_MS, env: { LC_ALL: 'C' } });
  return new Map([...stdout.matchAll(/^(.+?): +(.+)$/gm)].map(([, name = '', value = '']) => [name, value]));
}
