/**
 * `npm run bench:summary -- [--result=<json>] [--history=<file>] [--append] [--page-url=<url>] [--out=<md>]`: a run as a
 * short comment for a pull request: the table, what changed against the last run in the history, and a link to the page.
 * Without --result it takes the newest one. --append adds the run to the history (on the main branch), and the HTML page
 * is written again with it.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { argumentsOrExit } from '../arguments.ts';
import type { RunResult, ScenarioResult } from '../types.ts';
import { duration, figure, figureName, megabytes } from './format.ts';
import { appendToHistory, type HistoryEntry, historyEntryOf, readHistory } from './history.ts';
import { resultPage } from './page.ts';
import { readResult } from './result-file.ts';

/** By which the comment of an earlier run is found, to be replaced. */
export const COMMENT_MARK = '<!-- bench:nano -->';

const RESULTS = path.resolve(import.meta.dirname, '..', 'results');
const FIGURES_SHOWN = 3;
/** Longer ones are sentences: the page has them. */
const FIGURE_CHARS_MAX = 20;
const CHANGES_SHOWN = 20;
/** Memory moves by itself from run to run; less than this is not worth a line. */
const MEMORY_CHANGE_MIN = 0.05;
const SIGN = { met: '✅', 'not met': '❌', inconclusive: '⚠️', 'not run': '➖' } as const;

export function summaryOf(run: RunResult, base: HistoryEntry | undefined, pageUrl: string | undefined): string {
  const { scenarios, faults = [], commit, seconds, enforcedBy } = run;
  return [
    COMMENT_MARK,
    `### bench:nano ${faults.length === 0 ? 'passed' : 'failed'}`,
    '',
    ...(faults.length === 0 ? [] : [...faults.map((fault) => `- ${fault}`), '']),
    '| | scenario | figures | fullest box |',
    '|---|---|---|---|',
    ...scenarios.map(rowOf),
    '',
    ...changes(historyEntryOf(run), base),
    '',
    `${commit.slice(0, 9)}, ${duration(seconds)}, limits enforced by ${enforcedBy}.${pageUrl === undefined ? '' : ` [The page with all figures and plots](${pageUrl})`}`,
    '',
  ].join('\n');
}

function rowOf({ name, outcome, figures, boxes }: ScenarioResult): string {
  const shown = Object.entries(figures)
    .filter(([key, value]) => !key.includes(' ') && String(value).length <= FIGURE_CHARS_MAX)
    .slice(0, FIGURES_SHOWN)
    .map(([key, value]) => `${figureName(key)} ${figure(key, value)}`);
  const [fullest] = Object.entries(boxes).sort(([, a], [, b]) => b.neededPeakBytes - a.neededPeakBytes);
  const box = fullest === undefined ? '' : `${fullest[0]} ${megabytes(fullest[1].neededPeakBytes)}`;
  return `| ${SIGN[outcome]} | ${name} | ${shown.join(', ').replaceAll('|', '\\|')} | ${box} |`;
}

/** Counters that differ, and memory that moved by more than MEMORY_CHANGE_MIN. */
function changes(entry: HistoryEntry, base: HistoryEntry | undefined): string[] {
  if (base === undefined) return ['There is no earlier run to compare with.'];
  const counters = Object.keys({ ...base.counters, ...entry.counters })
    .filter((name) => base.counters[name] !== entry.counters[name])
    .map((name) => `| ${name} | ${base.counters[name] ?? '–'} | ${entry.counters[name] ?? '–'} |`);
  const memory = Object.keys(entry.memory)
    .filter((box) => Math.abs(ratio(entry.memory[box], base.memory[box]) - 1) > MEMORY_CHANGE_MIN)
    .map((box) => `| memory of ${box} | ${megabytes(base.memory[box] ?? 0)} | ${megabytes(entry.memory[box] ?? 0)} |`);
  const rows = [...counters, ...memory];
  const against = `${base.commit.slice(0, 9)} (${base.at.slice(0, 10)})`;
  if (rows.length === 0) return [`No counter changed against ${against}.`];
  const more = rows.length > CHANGES_SHOWN ? [`| … and ${rows.length - CHANGES_SHOWN} more | | |`] : [];
  return [`| changed against ${against} | before | now |`, '|---|---:|---:|', ...rows.slice(0, CHANGES_SHOWN), ...more];
}

function ratio(now: number | undefined, before: number | undefined): number {
  return now === undefined || before === undefined || before === 0 ? 1 : now / before;
}

function newestResult(): string {
  const newest = readdirSync(RESULTS)
    .filter((file) => /^\d{4}-.*\.json$/.test(file))
    .sort()
    .at(-1);
  if (newest === undefined) throw new Error(`${RESULTS} holds no result: npm run bench:nano writes one.`);
  return path.join(RESULTS, newest);
}

const USAGE =
  'npm run bench:summary -- [--result=<json>] [--history=<file>] [--append] [--page-url=<url>] [--out=<md>]';

if (import.meta.main) {
  const { values } = argumentsOrExit(USAGE, (args) =>
    parseArgs({
      args,
      options: {
        result: { type: 'string' },
        history: { type: 'string' },
        append: { type: 'boolean', default: false },
        'page-url': { type: 'string' },
        out: { type: 'string' },
      },
    }),
  );
  const file = values.result ?? newestResult();
  const run = readResult(file);
  const earlier = values.history === undefined ? [] : readHistory(values.history);
  const base = earlier.findLast(({ commit }) => commit !== run.commit);
  const summary = summaryOf(run, base, values['page-url']);
  if (values.out === undefined) console.log(summary);
  else writeFileSync(values.out, summary);
  if (values.history !== undefined) {
    const history = values.append
      ? appendToHistory(values.history, historyEntryOf(run))
      : [...earlier, historyEntryOf(run)];
    writeFileSync(file.replace(/\.json$/, '.html'), resultPage(run, history));
  }
}
