import type { Layout } from '../layout/layout.ts';
import type { MemorySamples } from '../layout/memory-samples.ts';
import type { Calibration } from '../load/calibration.ts';
import type { Account, LoadSample } from '../load/plan.ts';
import type { BoxFigures, LoadFigures } from '../types.ts';

export type ProfileName = 'ci' | 'full';

/** What a scenario is given: a running layout, people who are signed in, and how long it may take. */
export interface ScenarioContext {
  readonly layout: Layout;
  readonly accounts: readonly Account[];
  readonly calibration: Calibration;
  readonly profile: ProfileName;
  /** Whether the counters become the budgets instead of being held against them. */
  readonly writeCounters: boolean;
  /** Highest rate that the ramp held, requests a second; undefined before it ran. */
  knee: number | undefined;
  /** A file of its own for acknowledged writes. */
  readonly historyFile: string;
  readonly onSample: (sample: LoadSample) => void;
}

/** What a scenario says; the runner adds boxes, memory and time. */
export interface Verdict {
  readonly met: boolean;
  /** What kept it from being met, or makes it void, in words. */
  readonly reasons: readonly string[];
  readonly void?: boolean;
  readonly figures: Readonly<Record<string, number | string | boolean | null>>;
  readonly loads?: Readonly<Record<string, LoadFigures>>;
  readonly covers: readonly string[];
}

/** What a scenario says that started its layouts itself. */
export interface ApartVerdict extends Verdict {
  readonly boxes: Readonly<Record<string, BoxFigures>>;
  readonly memory: MemorySamples;
}

export interface Scenario {
  readonly name: string;
  /** The slug of the promise. */
  readonly promise: string;
  /** The promise's line, in words, with its numbers. */
  readonly line: string;
  /** It counts what the servers do, so nothing else may ask them anything: the live view then sees the boxes alone. */
  readonly undisturbed?: boolean;
  run(context: ScenarioContext): Promise<Verdict>;
}

export interface ApartContext extends Pick<ScenarioContext, 'profile' | 'onSample'> {
  readonly soft: boolean;
  /** What the live view looks at from now on; undefined before it stops. */
  readonly watch: (layout: Layout | undefined, account?: Account) => void;
}

/** One that starts layouts of its own, and beside which none may run: programs in memory twice are charged to one box. */
export interface ScenarioApart extends Pick<Scenario, 'name' | 'promise' | 'line'> {
  run(context: ApartContext): Promise<ApartVerdict>;
}

/** Reasons for each condition that does not hold; empty when all do. */
export function unmet(conditions: Readonly<Record<string, boolean>>): string[] {
  return Object.entries(conditions)
    .filter(([, holds]) => !holds)
    .map(([condition]) => `not so: ${condition}`);
}

/** Answers that were no right answers: refusals, failures, wrong ones. */
export function failedOf(figures: LoadFigures): { refused: number; failed: number; wrong: number } {
  const count = (matches: (status: string) => boolean) =>
    Object.entries(figures.statuses).reduce((sum, [status, times]) => sum + (matches(status) ? times : 0), 0);
  return {
    refused: count((status) => status === '503' || status === '429'),
    failed: count((status) => status.startsWith('error:') || (status.startsWith('5') && status !== '503')),
    wrong: figures.wrong,
  };
}

export function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}
