/**
 * Records on disk which processes belong to a stack's folder, so that they can be stopped if their parent was killed.
 *
 * A pid alone proves nothing: pids are reused, especially in containers. So a record also has the process's start time
 * as the kernel reports it; only a process with the same pid and the same start time is ours.
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

/** The recorded processes that are still running. */
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

/** The command line of a process as one string; empty if there is no such process. */
export function commandLineOf(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' });
  } catch {
    return '';
  }
}

/** The start time of a process, as the kernel reports it; undefined for one that is gone or a zombie. */
export function birthOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      // The name in brackets can contain anything, so the fields are counted from the last bracket.
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
    // Cut short when its process was killed.
    return undefined;
  }
}

function recordFile(folder: string, name: string): string {
  return path.join(folder, 'run', `${name}.json`);
}
