/** Whether the limits are real, asked from inside: a run in which they are not proves nothing. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Box } from '../box/box.ts';
import type { PartName } from './parts.ts';

const WORKERS: readonly PartName[] = ['api', 'api-2', 'mailer', 'mailer-2', 'chat', 'chat-2', 'all'];

/** A sentence for each part whose processes are not held to what its box says; empty when all is well. */
export function limitFaults(folder: string, part: PartName, pid: number, box: Box): string[] {
  const faults: string[] = [];
  if (!box.pids().includes(pid)) faults.push(`${part} (process ${pid}) is not in its box`);
  if (WORKERS.includes(part)) {
    const told = toldLimit(path.join(folder, 'logs', `${part}.log`), pid);
    const limitMb = Math.round(box.limitBytes / 2 ** 20);
    if (told === undefined) faults.push(`${part} says nothing of its memory limit`);
    else if (told.source !== 'container' || told.limitMb !== limitMb) {
      faults.push(`${part} sees a limit of ${told.limitMb} MB (${told.source}), not the ${limitMb} MB of its box`);
    }
  }
  return faults;
}

/** What the worker logged at its start (src/process/memory-limit.ts). */
function toldLimit(log: string, pid: number): { limitMb: number; source: string } | undefined {
  for (const line of readFileSync(log, 'utf8').split('\n').reverse()) {
    if (!line.includes('"limitMb"')) continue;
    const entry = JSON.parse(line) as { pid?: number; limitMb: number; source: string };
    if (entry.pid === undefined || entry.pid === pid) return entry;
  }
  return undefined;
}
