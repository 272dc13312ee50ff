/**
 * What it is: a limit on memory and CPU around any processes, enforced and accounted for by the kernel.
 * What fails without it: "fits a nano" is a belief; a process that is never refused a page never shows what it needs.
 * How it works: a driver per way of having a group of the kernel's (cgroup-v2, cgroup-v1, systemd-run, docker), chosen
 *   by trying; a process enters its group before it becomes the command, so everything is charged, children too.
 * What it costs: a shell's start per command; reading the counters every SAMPLE_MS.
 * Its bounds: bench/box/limits.ts. Its proof: test/bench/box/box.test.ts.
 */
import type { BoxFigures } from '../types.ts';
import { chooseDriver } from './choose-driver.ts';
import type { BoxSpec, CommandLine, Driver, EnforcedBy, Usage } from './driver.ts';
import { SAMPLE_MS } from './limits.ts';

export interface BoxReport extends BoxFigures {
  /** The highest `usedBytes()` seen, sampled every SAMPLE_MS: without the page cache of plain files (usage.ts). */
  readonly neededPeakBytes: number;
}

export interface Box {
  readonly name: string;
  readonly enforcedBy: EnforcedBy;
  readonly limitBytes: number;
  /** The command that runs `command` inside: same pid, environment, folder and stdio. */
  wrap(command: string, args: readonly string[]): CommandLine;
  /** Since the box was made; after `close`, as they were at the end. */
  figures(): BoxReport;
  /** What the processes cannot do without: all that is charged but the page cache of plain files. */
  usedBytes(): number;
  /** All that is charged, page cache included: what the kernel holds against the limit. */
  chargedBytes(): number;
  pids(): number[];
  /** In cores: 2, 0.1. Takes effect at once. */
  setCpus(cpus: number): Promise<void>;
  /** Kills what is still inside; nothing of the box stays behind. */
  close(): Promise<void>;
}

/** Swap is off in every box. `driver` is for tests; otherwise it is the one that this machine proves to have. */
export async function createBox(spec: BoxSpec & { driver?: Driver }): Promise<Box> {
  const driver = spec.driver ?? (await chooseDriver()).driver;
  const cell = await driver.create(spec);
  let closing: Promise<void> | undefined;
  let last = cell.usage();
  let neededPeakBytes = last.neededBytes;
  let peakBytes = last.peakBytes;
  const sample = (): Usage => {
    if (closing === undefined) last = cell.usage();
    neededPeakBytes = Math.max(neededPeakBytes, last.neededBytes);
    peakBytes = Math.max(peakBytes, last.peakBytes);
    return last;
  };
  const timer = setInterval(sample, SAMPLE_MS).unref();

  return {
    name: spec.name,
    enforcedBy: driver.name,
    limitBytes: spec.memoryBytes,
    wrap: cell.wrap,
    figures() {
      const { cpuSeconds, throttledSeconds, oomKills } = sample();
      return { limitBytes: spec.memoryBytes, peakBytes, neededPeakBytes, cpuSeconds, throttledSeconds, oomKills };
    },
    usedBytes: () => sample().neededBytes,
    chargedBytes: () => sample().chargedBytes,
    pids: () => (closing === undefined ? cell.pids() : []),
    setCpus: cell.setCpus,
    close() {
      if (closing === undefined) {
        clearInterval(timer);
        sample();
        closing = cell.remove();
      }
      return closing;
    },
  };
}
