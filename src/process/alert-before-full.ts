/**
 * What it is: a condition with a threshold below the limit and a time for which it must last, so that somebody hears of
 *   it while everything still works.
 * What fails without it: the first sign is the failure itself. The disk is full, the kernel has killed the process, the
 *   queue is refused, and people notice before the operator does.
 * How it works: one form for all rules, so that the same list is judged by the mailer (src/modules/operations/alerts.ts)
 *   and written as Prometheus rules (npm run generate:alerts). A condition that holds begins an alert; it fires when that
 *   has lasted for `forMs`, so a spike wakes nobody; it is over when the condition has been gone for ALERT_OVER_MS, so
 *   one that comes and goes is told once.
 * What it costs: an operator hears of things that would have ended by themselves, as often as thresholds are too low.
 * Its bound: a threshold must leave more room than the resource takes in `forMs` and in the time that somebody needs.
 * Its proof: test/process/alert-before-full.test.ts, bench/patterns/alert-before-full.
 */
import { ALERT_OVER_MS } from '../limits.ts';
import type { ProcessReport } from './metrics.ts';

export interface AlertRule {
  /** As in Prometheus: `MemoryNearLimit`. */
  readonly name: string;
  /** `now`: people are about to notice. `today`: there is time until the morning. */
  readonly severity: 'now' | 'today';
  /** The metric's name in src/, without prefix and `_total`. Each process that has it is judged by itself. */
  readonly metric: string;
  /** The label of its series, which are added up: whom the number is about, where that is not the process that has it. */
  readonly by?: string;
  /** Divided by this one of the same process. */
  readonly per?: string;
  /** A counter: judged by its growth in the last RECENT_MS. */
  readonly recent?: true;
  /** With fewer than this, a share says nothing. */
  readonly atLeast?: number;
  readonly above?: number;
  readonly below?: number;
  /** How long it must last; 0 for what has happened already. */
  readonly forMs: number;
  readonly unit: 'share' | 'seconds' | 'days' | 'count';
  /** A sentence for a mail's subject and the first line of a page, without numbers. */
  readonly says: string;
  /** What will fail if nothing is done, and what to look at, in the order in which to do it. */
  readonly look: string;
}

/** What one process says of itself: all its gauges, and the growth of its counters. */
export type Measures = Pick<ProcessReport, 'gauges' | 'own' | 'recent'>;

/** Undefined when the process does not know it, or has no such metric. */
export function measure(rule: AlertRule, measures: Measures): number | undefined {
  const { metric, per, atLeast = 0 } = rule;
  const value = read(rule, metric, measures);
  if (value === undefined || per === undefined) return value;
  const whole = read(rule, per, measures);
  if (whole === undefined || whole === 0) return undefined;
  return value < atLeast ? 0 : value / whole;
}

function read({ recent }: AlertRule, name: string, { gauges, own, recent: growth }: Measures): number | undefined {
  return recent ? growth[name] : (gauges[name] ?? own[name]);
}

export function holds({ above, below }: AlertRule, value: number): boolean {
  return (above !== undefined && value > above) || (below !== undefined && value < below);
}

/** `476 of 512 MB, 93 % (above 85 %)` */
export function inWords(rule: AlertRule, value: number, measures: Measures): string {
  const limit = rule.above === undefined ? `below ${shown(rule, rule.below ?? 0)}` : `above ${shown(rule, rule.above)}`;
  return `${partsOf(rule, measures)}${shown(rule, value)} (${limit})`;
}

/** What a share is made of. */
function partsOf(rule: AlertRule, measures: Measures): string {
  const { metric, per } = rule;
  if (per === undefined) return '';
  const unit = metric.endsWith('_bytes') ? { size: MB, name: ' MB' } : { size: 1, name: '' };
  const [part, whole] = [metric, per].map((name) => Math.round((read(rule, name, measures) ?? 0) / unit.size));
  return `${part} of ${whole}${unit.name}, `;
}

const MB = 1024 * 1024;

const DAY_SECONDS = 24 * 60 * 60;

function shown({ unit }: AlertRule, value: number): string {
  switch (unit) {
    case 'share':
      return `${Math.round(value * 100)} %`;
    case 'seconds':
      return value < 10 ? `${Math.round(value * 1_000)} ms` : `${Math.round(value)} s`;
    case 'days':
      // Of 26 and 27 hours both are 1.1 days.
      return value < 3 * DAY_SECONDS ? `${Math.round(value / 3_600)} hours` : `${Math.round(value / DAY_SECONDS)} days`;
    case 'count':
      return String(Math.round(value * 10) / 10);
  }
}

/** Times are milliseconds since 1970; null: not yet. */
export interface AlertState {
  readonly rule: string;
  readonly process: string;
  readonly value: number;
  /** The instance with the worst value, and that value, in words. */
  readonly detail: string;
  readonly since: number;
  readonly firedAt: number | null;
  readonly toldAt: number | null;
  readonly clearSince: number | null;
  readonly overAt: number | null;
  readonly tellingSince: number | null;
}

/** What was found of one rule and one kind of process. Without a judgement, nothing changes. */
export interface Judgement {
  readonly rule: AlertRule;
  readonly process: string;
  readonly holds: boolean;
  readonly value: number;
  readonly detail: string;
}

/** Undefined: there is no alert, or none any more. */
export function nextState(
  state: AlertState | undefined,
  { rule, process, holds, value, detail }: Judgement,
  now: number,
): AlertState | undefined {
  if (holds) {
    const begun = state ?? { ...NEW, rule: rule.name, process, since: now };
    const firedAt = begun.firedAt ?? (now - begun.since >= rule.forMs ? now : null);
    return { ...begun, value, detail, firedAt, clearSince: null, overAt: null };
  }
  if (state === undefined || state.firedAt === null) return undefined;
  const clearSince = state.clearSince ?? now;
  return { ...state, clearSince, overAt: state.overAt ?? (now - clearSince >= ALERT_OVER_MS ? now : null) };
}

const NEW = {
  value: 0,
  detail: '',
  firedAt: null,
  toldAt: null,
  clearSince: null,
  overAt: null,
  tellingSince: null,
} as const;
