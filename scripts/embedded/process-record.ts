/**
 * Which processes belong to a stack's folder, on disk, so that a stack whose parent was killed can be cleared away.
 *
 * A pid alone proves nothing: numbers come back, soonest in containers. A record therefore holds the moment the
 * process was born too, as the kernel tells it; only a process with the same number and the same birth is ours.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export type ProcessRecord = { name: string; pid: number; born: string };

export function recordProcess(folder: string, name: string, pid: number): void {
  const born = birthOf(pid);
  if (born === undefined) return;
  mkdirSync(path.join(folder, 'run'), { recursive: true });
  writeFileSync(recordFile(folder, name), JSON.stringify({ name, pid, born }), { mode: 0o600 });
}

export function forgetProcess(folder: string, name: string): void {
  rmSync(recordFile(folder, name), { force: true });
}

/** The recorded processes that still run. */
export function livingProcesses(folder: string): ProcessRecord[] {
  let files: string[];
  try {
    files = readdirSync(path.join(folder, 'run'));
  } catch {
    return [];
  }
  return files
    .map((file) => readRecord(path.join(folder, 'run', file)))
    .filter((record) => record !== undefined)
    .filter(isAlive);
}

export function isAlive(record: ProcessRecord): boolean {
  return birthOf(record.pid) === record.born;
}

/** The command line of a process as one string; empty when there is no such process. */
export function commandLineOf(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' });
  } catch {
    return '';
  }
}

/** When a process was born, in the kernel's own words; undefined for one that is gone or only awaits burial. */
export function birthOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      // The name in brackets may hold anything, so the fields are counted from the last bracket.
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
    }
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' });
    const [state, ...started] = line.trim().split(/\s+/);
    return state === undefined || state.startsWith('Z') ? undefined : started.join(' ');
  } catch {
    return undefined;
  }
}

function readRecord(file: string): ProcessRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessRecord;
  } catch {
    // Cut short by the very kill that left it behind.
    return undefined;
  }
}

function recordFile(folder: string, name: string): string {
  return path.join(folder, 'run', `${name}.json`);
}
