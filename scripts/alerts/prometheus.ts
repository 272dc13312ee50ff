/** The alerts of the product as Prometheus rules: from the same list that the mailer judges by itself. */
import { stringify } from 'yaml';
import { RECENT_MS } from '../../src/limits.ts';
import type { AlertRule } from '../../src/process/alert-before-full.ts';

/** What only Prometheus can see: that a process does not answer it, or that nothing is asked at all. */
export const ONLY_PROMETHEUS = [
  {
    alert: 'NotScraped',
    expr: 'up{job="tardigrade"} == 0',
    for: '1m',
    labels: { severity: 'now' },
    annotations: {
      summary: 'A process does not answer Prometheus',
      description: '{{ $labels.instance }} has not answered for a minute.',
      look: 'Does it run, is its event loop free, does a NetworkPolicy let Prometheus in? /metrics answers direct callers only, never through a proxy.',
    },
  },
  {
    alert: 'NothingScraped',
    expr: 'absent(up{job="tardigrade"})',
    for: '2m',
    labels: { severity: 'now' },
    annotations: {
      summary: 'Prometheus asks no process at all',
      description: 'There is no target in the job tardigrade.',
      look: 'The targets page of Prometheus, and the scrape configuration.',
    },
  },
  {
    alert: 'Watchdog',
    expr: 'vector(1)',
    labels: { severity: 'none' },
    annotations: {
      summary: 'It always fires',
      description: 'Route it to a service that calls you when it stops: then Prometheus or Alertmanager is down.',
      look: 'Nothing to do while it fires.',
    },
  },
];

/** The file of one module's rules. */
export function rulesFile(module: string, rules: readonly AlertRule[], more: readonly object[] = []): string {
  const groups = [{ name: `tardigrade-${module}`, rules: [...rules.map(prometheusRule), ...more] }];
  return `${HEADER}${stringify({ groups }, { lineWidth: 0 })}`;
}

export const HEADER = '# Generated from src/ by npm run generate:alerts. Changes made here are lost.\n';

/** The condition in PromQL. `/` pairs the two series of one process by their labels; nothing is divided by 0. */
export function condition(rule: AlertRule): string {
  const series = (metric: string) =>
    rule.recent ? `increase(tardigrade_${metric}_total[${duration(RECENT_MS)}])` : `tardigrade_${metric}`;
  const of = (metric: string) =>
    rule.by === undefined ? series(metric) : `sum without (${rule.by}) (${series(metric)})`;
  const value = rule.per === undefined ? of(rule.metric) : `${of(rule.metric)} / (${of(rule.per)} > 0)`;
  const compared = rule.above === undefined ? `${value} < ${rule.below}` : `${value} > ${rule.above}`;
  return rule.atLeast === undefined ? compared : `${compared} and ${of(rule.metric)} >= ${rule.atLeast}`;
}

/** `90s` as Prometheus writes it. */
export function duration(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000}m` : `${ms / 1_000}s`;
}

function prometheusRule(rule: AlertRule): object {
  return {
    alert: rule.name,
    expr: condition(rule),
    ...(rule.forMs > 0 ? { for: duration(rule.forMs) } : {}),
    labels: { severity: rule.severity },
    annotations: {
      summary: rule.says,
      description: `${whom(rule)}{{ $labels.process }} at {{ $labels.instance }}: ${VALUE[rule.unit]} (${rule.above === undefined ? `below ${limit(rule, rule.below ?? 0)}` : `above ${limit(rule, rule.above)}`}).`,
      look: rule.look,
    },
  };
}

/**
 * Where the process that has the number is not the one that it is about: `api 1, chat 3, as counted by `. Sorted,
 * because a query gives its series in any order, and the text would be another one at each evaluation.
 */
function whom({ by, metric }: AlertRule): string {
  if (by === undefined) return '';
  const series = `query (printf "tardigrade_${metric}{instance=%q} > 0" $labels.instance)`;
  return `{{ range ${series} | sortByLabel ${JSON.stringify(by)} }}{{ .Labels.${by} }} {{ .Value }}, {{ end }}as counted by `;
}

const VALUE: Readonly<Record<AlertRule['unit'], string>> = {
  share: '{{ $value | humanizePercentage }}',
  seconds: '{{ $value | humanizeDuration }}',
  days: '{{ $value | humanizeDuration }}',
  count: '{{ $value | humanize }}',
};

function limit({ unit }: AlertRule, value: number): string {
  if (unit === 'share') return `${Math.round(value * 100)} %`;
  if (unit === 'days') return `${Math.round((value / 86_400) * 10) / 10} days`;
  return unit === 'seconds' ? `${value} s` : String(value);
}
