/**
 * A unit test for each rule, for `promtool test rules`: calm values, then values beyond the threshold. It must be silent
 * until the condition has lasted, and fire then, once.
 */
import { stringify } from 'yaml';
import { RECENT_MS } from '../../src/limits.ts';
import type { AlertRule } from '../../src/process/alert-before-full.ts';
import { duration, HEADER } from './prometheus.ts';

const STEP_MS = 15_000;
const CALM_MS = 10 * 60_000;
const LABELS = '{job="tardigrade", instance="10.0.0.1:3000", process="api"}';

export function rulesTestFile(rulesPath: string, rules: readonly AlertRule[], more: readonly object[] = []): string {
  const file = {
    rule_files: [rulesPath],
    evaluation_interval: duration(STEP_MS),
    tests: [...rules.map(testOf), ...more],
  };
  return `${HEADER}${stringify(file, { lineWidth: 0 })}`;
}

/** Of those that only Prometheus has. */
export const TESTS_OF_ONLY_PROMETHEUS = [
  {
    name: 'NotScraped',
    interval: '15s',
    input_series: [{ series: 'up{job="tardigrade", instance="10.0.0.1:3000"}', values: '1+0x8 0+0x20' }],
    promql_expr_test: [silentAt('NotScraped', 150_000), firesAt('NotScraped', 225_000)],
  },
  {
    name: 'NothingScraped',
    interval: '15s',
    input_series: [{ series: 'up{job="other", instance="10.0.0.1:3000"}', values: '1+0x40' }],
    promql_expr_test: [silentAt('NothingScraped', 60_000), firesAt('NothingScraped', 180_000)],
  },
  {
    name: 'Watchdog',
    interval: '15s',
    input_series: [{ series: 'up{job="tardigrade", instance="10.0.0.1:3000"}', values: '1+0x4' }],
    promql_expr_test: [firesAt('Watchdog', 15_000)],
  },
];

function testOf(rule: AlertRule): object {
  const calmSteps = CALM_MS / STEP_MS;
  const troubleSteps = Math.ceil((2 * RECENT_MS + rule.forMs) / STEP_MS);
  const { calm, trouble } = examples(rule);
  // With a divisor, of which there are 100 in each step or at each time.
  const whole = rule.per === undefined ? 1 : 100;
  const values = (metric: string, from: number, to: number) => {
    if (!rule.recent)
      return {
        series: `tardigrade_${metric}${labelsOf(rule)}`,
        values: `${from}+0x${calmSteps} ${to}+0x${troubleSteps}`,
      };
    const perStep = (value: number) => (rule.per === undefined ? round((value * STEP_MS) / RECENT_MS) : value);
    const reached = round(perStep(from) * calmSteps);
    return {
      series: `tardigrade_${metric}_total${LABELS}`,
      values: `0+${perStep(from)}x${calmSteps} ${round(reached + perStep(to))}+${perStep(to)}x${troubleSteps}`,
    };
  };
  const series = [values(rule.metric, round(calm * whole), round(trouble * whole))];
  if (rule.per !== undefined) series.push(values(rule.per, whole, whole));
  const window = rule.recent ? RECENT_MS : 0;
  const silent = [silentAt(rule.name, CALM_MS)];
  if (!rule.recent && rule.forMs > 0) silent.push(silentAt(rule.name, CALM_MS + rule.forMs));
  return {
    name: rule.name,
    interval: duration(STEP_MS),
    input_series: series,
    promql_expr_test: [...silent, firesAt(rule.name, CALM_MS + window + rule.forMs + 2 * STEP_MS)],
  };
}

/** A series about somebody else names them. */
function labelsOf({ by }: AlertRule): string {
  return by === undefined ? LABELS : LABELS.replace('}', `, ${by}="chat"}`);
}

/** Half way to the threshold, and half as far again beyond it. */
export function examples({ above, below = 0 }: AlertRule): { calm: number; trouble: number } {
  if (above === undefined) return { calm: below * 1.5, trouble: below * 0.5 };
  return above === 0 ? { calm: 0, trouble: 1 } : { calm: above * 0.5, trouble: above * 1.5 };
}

function silentAt(alert: string, ms: number) {
  return { expr: firing(alert), eval_time: duration(ms), exp_samples: [] };
}

function firesAt(alert: string, ms: number) {
  return { expr: firing(alert), eval_time: duration(ms), exp_samples: [{ labels: '{}', value: 1 }] };
}

function firing(alert: string): string {
  return `count(ALERTS{alertname="${alert}", alertstate="firing"})`;
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}
