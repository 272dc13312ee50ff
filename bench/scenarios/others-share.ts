/** How much of the machine went to what is no part of the measurement: then a time says nothing about the product. */
import { cpus } from 'node:os';
import type { Box } from '../box/box.ts';

/**
 * Starts looking. The function that it returns says which share of the machine's CPU time since then, of all cores
 * together, was used by neither this process nor the boxes.
 */
export function watchOthers(boxes: Iterable<Box>): () => number {
  const ours = [...boxes];
  const begun = { machine: machineSeconds(), own: ownSeconds(ours) };
  return () => {
    const machine = machineSeconds();
    const all = machine.all - begun.machine.all;
    const others = machine.busy - begun.machine.busy - (ownSeconds(ours) - begun.own);
    return all > 0 ? Math.max(0, others / all) : 0;
  };
}

function machineSeconds(): { busy: number; all: number } {
  let [busy, idle] = [0, 0];
  for (const { times } of cpus()) {
    busy += times.user + times.nice + times.sys + times.irq;
    idle += times.idle;
  }
  return { busy: busy / 1_000, all: (busy + idle) / 1_000 };
}

function ownSeconds(boxes: readonly Box[]): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6 + boxes.reduce((sum, box) => sum + box.figures().cpuSeconds, 0);
}
