/** What every driver is: a way to have the kernel hold a group of processes to a limit, and to account for it. */

export interface BoxSpec {
  /** Lower-case letters, digits and hyphens; the group's name on the machine is made of it. */
  readonly name: string;
  readonly memoryBytes: number;
  /** In cores: 2, 0.1. */
  readonly cpus: number;
  /** Against the other boxes, while the CPUs are contended; a box has CPU_SHARES_DEFAULT unless it says otherwise. */
  readonly cpuShares?: number;
}

/** As docker counts: a box with half as many gets half of what another one gets. */
export const CPU_SHARES_DEFAULT = 1024;

export interface CommandLine {
  readonly command: string;
  readonly args: string[];
}

/** The kernel's accounting of one group. Bytes and seconds. */
export interface Usage {
  /** Everything charged, page cache included. */
  readonly chargedBytes: number;
  /** Without the page cache of plain files: what the group cannot do without (see usage.ts). */
  readonly neededBytes: number;
  /** The kernel's own high-water mark of chargedBytes. */
  readonly peakBytes: number;
  readonly cpuSeconds: number;
  readonly throttledSeconds: number;
  readonly oomKills: number;
}

/** One group of processes under one limit. */
export interface Cell {
  /** The command that runs `command` inside: same pid, environment, folder and stdio. */
  wrap(command: string, args: readonly string[]): CommandLine;
  usage(): Usage;
  pids(): number[];
  setCpus(cpus: number): Promise<void>;
  /** Once no process is inside any more; nothing of it stays behind. */
  remove(): Promise<void>;
}

export type EnforcedBy = 'cgroup v2' | 'cgroup v1' | 'systemd-run' | 'docker' | 'none';

export interface Driver {
  readonly name: EnforcedBy;
  /** @throws when this machine, or this user, cannot */
  create(spec: BoxSpec): Promise<Cell>;
  /** Ends and removes what dead processes left behind. */
  removeStale(): Promise<void>;
}
