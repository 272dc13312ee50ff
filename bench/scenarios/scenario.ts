import type { Layout } from '../layout/layout.ts';
import type { MemorySamples } from '../layout/memory-samples.ts';
import type { Account, LoadSample } from '../load/plan.ts';
import type { Workload } from '../load/workload.ts';
import type { LoadedParts } from '../module-parts.ts';
import { sum } from '../numbers.ts';
import type { BoxFigures, LoadFigures, RunResult } from '../types.ts';

export type ProfileName = 'ci' | 'full';

export interface Scenario {
  readonly name: string;
  /** The slug of the promise. */
  readonly promise: string;
  /** The promise's line, in words, with its numbers. */
  readonly line: string;
  /** When its line is not met, or was not measured, the run fails: always, or in that profile. Times gate in the full one at most. */
  readonly gates?: boolean | ProfileName;
  /** Runs in this profile only, or when it is asked for by name. Default: in both. */
  readonly profile?: ProfileName;
  /** It kills processes, so it runs after those that do not. */
  readonly kills?: boolean;
  /** It counts what the servers do, so nothing else may ask them anything: the live view then sees the boxes alone. */
  readonly undisturbed?: boolean;
  run(context: ScenarioContext): Promise<Findings>;
}

/** What a scenario is given: a running layout, people who are signed in, and how long it may take. */
export interface ScenarioContext {
  readonly layout: Layout;
  readonly accounts: readonly Account[];
  /** What the modules bring, each by itself and composed. */
  readonly benches: readonly LoadedParts[];
  readonly workload: Workload;
  readonly calibration: RunResult['calibration'];
  readonly profile: ProfileName;
  /** Of a scenario that has parts: those that were asked for by name. */
  readonly parts?: readonly string[] | undefined;
  /** Whether the counters become the budgets instead of being held against them. */
  readonly writeCounters: boolean;
  /** The saturation rate: the highest that the ramp held, in requests a second; undefined before it ran. */
  knee: number | undefined;
  /** A file of its own for acknowledged writes. */
  readonly historyFile: string;
  readonly onSample: (sample: LoadSample) => void;
}

/** What a scenario found; the runner makes the outcome of it, and adds boxes, memory and time. */
export interface Findings {
  /** The line is met when all of them hold. */
  readonly conditions: readonly Condition[];
  /** What this machine lacks, and how to get it: the scenario did not run, which is neither met nor a fault. */
  readonly notRun?: string;
  /** Why the run proves nothing, in words. */
  readonly inconclusive?: readonly string[];
  /** What is worth saying even when the line is met. */
  readonly hints?: readonly string[];
  readonly figures: Readonly<Record<string, number | string | boolean | null>>;
  readonly loads?: Readonly<Record<string, LoadFigures>>;
  /** Routes and messages beyond those of `loads`. */
  readonly covers?: readonly string[];
}

export interface Condition {
  /** As it should be, with what was found in brackets. */
  readonly says: string;
  readonly holds: boolean;
}

/** One that starts layouts of its own, and beside which none may run: programs in memory twice are charged to one box. */
export interface OwnLayoutScenario extends Pick<Scenario, 'name' | 'promise' | 'line' | 'gates' | 'profile'> {
  run(context: OwnLayoutContext): Promise<OwnLayoutFindings>;
}

export interface OwnLayoutContext
  extends Pick<ScenarioContext, 'profile' | 'parts' | 'onSample' | 'benches' | 'workload'> {
  readonly soft: boolean;
  /** The layout that the live view shows from now on; undefined before it stops. */
  readonly watch: (layout: Layout | undefined, account?: Account) => void;
  /** A line for those who are waiting. */
  readonly say: (text: string) => void;
}

export interface OwnLayoutFindings extends Findings {
  readonly boxes: Readonly<Record<string, BoxFigures>>;
  readonly memory: MemorySamples;
}

export interface Failures {
  readonly refused: number;
  readonly failed: number;
  readonly wrong: number;
  /** Together. */
  readonly all: number;
  /** One of the wrong answers, in words; empty without one. */
  readonly sample: string;
}

/** Answers that were no right answers: refusals, failures, wrong ones. */
export function failuresOf(loads: Readonly<Record<string, LoadFigures>>): Failures {
  const figures = Object.values(loads);
  const statuses = figures.flatMap((load) => Object.entries(load.statuses));
  const count = (matches: (status: string) => boolean) =>
    sum(statuses.filter(([status]) => matches(status)).map(([, times]) => times));
  const refused = count((status) => status === '503' || status === '429');
  const failed = count((status) => status.startsWith('error:') || (status.startsWith('5') && status !== '503'));
  const wrong = sum(figures.map((load) => load.wrong));
  const [sample = ''] = figures.flatMap(({ wrongSamples }) => wrongSamples);
  return { refused, failed, wrong, all: refused + failed + wrong, sample };
}
