/**
 * `npm run bench:compare -- <a.json> <b.json>`: two results side by side. Wall-clock figures of two runs differ by what
 * else the machine did; only the counters (COUNTER) say something about the code alone, and those are marked.
 */
import { parseArgs, styleText } from 'node:util';
import { argumentsOrExit } from '../arguments.ts';
import type { RunResult, ScenarioResult } from '../types.ts';
import { figure, figureName } from './format.ts';
import { readResult } from './result-file.ts';

/** Figures that a commit decides and not the machine: the gate checks them. */
export const COUNTER =
  /(?:queries|rows|bytes|statements|commands|allocations)Per[A-Z]\w*$|: (?:queries|rows|bytes)$|per mail$|^lost|^wrong|^duplicated|oomKills$/i;

export interface Delta {
  readonly scenario: string;
  readonly figure: string;
  readonly before: number | string | boolean | null | undefined;
  readonly after: number | string | boolean | null | undefined;
  /** Share of change; undefined where there is none to compute. */
  readonly change: number | undefined;
  readonly isCounter: boolean;
}

/** Every figure and box of every scenario of either run, in the order of the later one. */
export function compareRuns(before: RunResult, after: RunResult): Delta[] {
  const names = [...new Set([...after.scenarios, ...before.scenarios].map(({ name }) => name))];
  return names.flatMap((name) => {
    const [a, b] = [before, after].map((run) => flat(run.scenarios.find((scenario) => scenario.name === name)));
    return [...new Set([...Object.keys(b ?? {}), ...Object.keys(a ?? {})])].map((key) => ({
      scenario: name,
      figure: key,
      before: a?.[key],
      after: b?.[key],
      change: changeOf(a?.[key], b?.[key]),
      isCounter: COUNTER.test(key),
    }));
  });
}

function flat(scenario: ScenarioResult | undefined): Record<string, number | string | boolean | null> | undefined {
  if (scenario === undefined) return undefined;
  const boxes = Object.entries(scenario.boxes).flatMap(
    ([name, { peakBytes, neededPeakBytes, cpuSeconds, oomKills }]) => [
      [`${name} peakBytes`, peakBytes],
      [`${name} neededPeakBytes`, neededPeakBytes],
      [`${name} cpuSeconds`, cpuSeconds],
      [`${name} oomKills`, oomKills],
    ],
  );
  return { outcome: scenario.outcome, ...scenario.figures, ...Object.fromEntries(boxes) };
}

function changeOf(before: Delta['before'], after: Delta['after']): number | undefined {
  if (typeof before !== 'number' || typeof after !== 'number') return undefined;
  if (before === after) return 0;
  return before === 0 ? undefined : (after - before) / before;
}

/** Lines for a terminal. `all` false leaves out what is the same in both. */
export function comparisonTable(deltas: readonly Delta[], { all, colour }: { all: boolean; colour: boolean }): string {
  const lines: string[] = [];
  let scenario = '';
  for (const delta of deltas) {
    if (!all && delta.before === delta.after) continue;
    if (delta.scenario !== scenario) {
      scenario = delta.scenario;
      lines.push('', scenario);
    }
    const text = `${delta.isCounter ? ' *' : '  '} ${labelOf(delta.figure).padEnd(34)} ${shown(delta, 'before').padStart(14)}  ${shown(delta, 'after').padStart(14)}  ${changeText(delta)}`;
    const grew = delta.isCounter && delta.before !== delta.after;
    lines.push(colour && grew ? styleText('yellow', text, { validateStream: false }) : text);
  }
  lines.push('', '* counters: decided by the code, not by the machine. The other figures move with it, too.');
  return lines.join('\n').trimStart();
}

const labelOf = (name: string) => name.split(' ').map(figureName).join(' ');

function shown(delta: Delta, side: 'before' | 'after'): string {
  const value = delta[side];
  if (value === undefined) return 'none';
  const name = delta.figure.split(' ').at(-1) as string;
  return figure(name, value);
}

function changeText({ before, after, change }: Delta): string {
  if (change === undefined) return before === after ? '' : 'changed';
  return change === 0 ? '=' : `${change > 0 ? '+' : '−'}${Math.abs(change * 100).toFixed(1)} %`;
}

const USAGE = 'npm run bench:compare -- bench/results/<a>.json bench/results/<b>.json [--all]';

if (import.meta.main) {
  const { files, all } = argumentsOrExit(USAGE, readOptions);
  const [before, after] = files.map(readResult) as [RunResult, RunResult];
  console.log(
    `${before.commit.slice(0, 9)} (${before.startedAt})  →  ${after.commit.slice(0, 9)} (${after.startedAt})`,
  );
  const colour = process.stdout.hasColors?.() ?? false;
  console.log(comparisonTable(compareRuns(before, after), { all, colour }));
}

function readOptions(args: string[]): { files: readonly string[]; all: boolean } {
  const options = { all: { type: 'boolean', default: false } } as const;
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options });
  if (positionals.length !== 2) throw new Error('Two result files, please.');
  return { files: positionals, all: values.all };
}
