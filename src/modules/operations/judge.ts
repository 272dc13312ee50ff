import {
  type AlertRule,
  type AlertState,
  holds,
  inWords,
  type Judgement,
  measure,
} from '../../process/alert-before-full.ts';
import type { ProcessReport } from '../../process/metrics.ts';

/**
 * One judgement for each rule and kind of process that knows its value: by the worst instance. An alert about a kind of
 * which none runs any more does not hold: that it is missing is another alert. `isComplete`: the reports are those of all
 * processes, and not of this one only.
 */
export function judge(
  rules: readonly AlertRule[],
  reports: readonly ProcessReport[],
  states: readonly AlertState[],
  isComplete: boolean,
): Judgement[] {
  const running = new Set(reports.map(({ name }) => name));
  return rules.flatMap((rule) => {
    const judged = [...running].flatMap((process) => judgeKind(rule, process, reports) ?? []);
    const gone = states.filter((state) => isComplete && state.rule === rule.name && !running.has(state.process));
    return [...judged, ...gone.map(({ process, value, detail }) => ({ rule, process, value, detail, holds: false }))];
  });
}

function judgeKind(rule: AlertRule, process: string, reports: readonly ProcessReport[]): Judgement | undefined {
  const known = reports
    .filter(({ name }) => name === process)
    .flatMap((report) => {
      const value = measure(rule, report);
      return value === undefined ? [] : [{ report, value }];
    })
    .sort((a, b) => (rule.below === undefined ? b.value - a.value : a.value - b.value));
  const [worst] = known;
  if (worst === undefined) return undefined;
  const { name, pid, about = {} } = worst.report;
  const who = about[rule.metric] ?? `${name} (pid ${pid})`;
  const detail = `${who}: ${inWords(rule, worst.value, worst.report)}`;
  return { rule, process, value: worst.value, detail, holds: holds(rule, worst.value) };
}
