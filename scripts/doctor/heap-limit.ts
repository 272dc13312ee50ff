/** V8's heap against the box: as the launcher would size it for --memory, and as the running processes report it. */
import { StartError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { checkHeap, heapFlags } from '../../src/process/memory-limit.ts';
import type { ProcessReport } from '../../src/process/metrics.ts';
import { readReports } from '../../src/redis/process-reports.ts';
import type { Finding } from './finding.ts';
import { PROCESS_SHARE_MAX } from './limits.ts';
import type { Servers } from './servers.ts';
import { showBytes } from './show.ts';

const check = 'heap-limit';
const MB = 1024 * 1024;

export async function heapLimit({ redis, instances, memoryBytes }: Servers): Promise<Finding[]> {
  const names = Object.entries(instances).flatMap(([name, count]) => (count > 0 ? [name] : []));
  const reports = redis === undefined ? [] : await readReports(redis);
  return [planned(names, memoryBytes), ...reports.map((report) => running(report, memoryBytes))];
}

/** All processes are sized alike, because each has its own box. */
function planned(names: string[], memoryBytes: number): Finding {
  const flags = heapFlags({ bytes: memoryBytes, source: 'container' });
  const [oldSpaceMb = 0, semiSpaceMb = 0] = flags.map((flag) => Number(flag.split('=')[1]));
  const heapBytes = (oldSpaceMb + 3 * semiSpaceMb) * MB;
  const says = `${names.join(', ') || 'each process'} in ${showBytes(memoryBytes)}: ${flags.join(' ')}, a heap of ${showBytes(heapBytes)}`;
  return refusal(heapBytes, memoryBytes) === undefined
    ? { check, level: 'ok', says }
    : { check, level: 'danger', says, advice: 'the box is too small: a process refuses to start in it' };
}

function running({ name, pid, memory }: ProcessReport, memoryBytes: number): Finding {
  const { heapLimitBytes, limitBytes, limitIsEnforced, rssBytes, containerUsedBytes } = memory;
  const boxBytes = limitIsEnforced ? limitBytes : memoryBytes;
  const usedBytes = containerUsedBytes ?? rssBytes;
  const box = `${showBytes(boxBytes)}${limitIsEnforced ? '' : ' (not enforced where it runs)'}`;
  const says = `${name} ${pid} runs: heap up to ${showBytes(heapLimitBytes)}, ${showBytes(usedBytes)} used of ${box}`;
  const refused = refusal(heapLimitBytes, boxBytes);
  if (refused !== undefined) {
    return { check, level: limitIsEnforced ? 'danger' : 'advice', says, advice: refused };
  }
  if (usedBytes <= boxBytes * PROCESS_SHARE_MAX) return { check, level: 'ok', says };
  return {
    check,
    level: 'advice',
    says,
    advice: 'close to its limit: watch its memory on the operations page for a day',
  };
}

/** The check that every process runs at start. */
function refusal(heapLimitBytes: number, bytes: number): string | undefined {
  try {
    checkHeap(createLog('doctor', 'silent'), { bytes, source: 'container' }, heapLimitBytes);
    return undefined;
  } catch (error) {
    if (error instanceof StartError) return error.message;
    throw error;
  }
}
