import { readdirSync, readFileSync } from 'node:fs';

/** /proc gives processor time in hundredths of a second on every platform that Linux runs on. */
const TICK_MS = 10;

/** Milliseconds of a processor used so far: by the program, and by the kernel for it. */
export interface CpuTime {
  readonly userMs: number;
  readonly kernelMs: number;
}

export function cpuTimeOf(pid: number): CpuTime {
  return timesIn(`/proc/${pid}/stat`);
}

/** The main thread, which runs JavaScript, and all others together. */
export function cpuTimeOfThreads(pid: number): { readonly main: CpuTime; readonly others: CpuTime } {
  const times = readdirSync(`/proc/${pid}/task`).map((thread) => {
    return { thread: Number(thread), ...timesIn(`/proc/${pid}/task/${thread}/stat`) };
  });
  const sum = (some: typeof times) => ({
    userMs: some.reduce((total, { userMs }) => total + userMs, 0),
    kernelMs: some.reduce((total, { kernelMs }) => total + kernelMs, 0),
  });
  return {
    main: sum(times.filter(({ thread }) => thread === pid)),
    others: sum(times.filter(({ thread }) => thread !== pid)),
  };
}

function timesIn(file: string): CpuTime {
  const stat = readFileSync(file, 'utf8');
  // After the name, which may hold anything: state is the first field, user and system time the 12th and 13th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { userMs: Number(fields[11]) * TICK_MS, kernelMs: Number(fields[12]) * TICK_MS };
}
