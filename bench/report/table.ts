import { stripVTControlCharacters, styleText } from 'node:util';
import type { RunResult, ScenarioResult } from '../types.ts';
import { duration, figure, figureName, megabytes } from './format.ts';

const FIGURES_SHOWN = 4;
const COLOUR = { met: 'green', 'not met': 'red', inconclusive: 'yellow', 'not run': 'gray' } as const;
const HEAD = ['', 'scenario', 'line', 'figures', 'peak memory of each box: needed, and with page cache'];
const LINE_CHARS = 44;
const FIGURES_CHARS = 40;

/** The result of a run as a table for a terminal; `colour` false for files and comments on a pull request. */
export function resultTable(run: Pick<RunResult, 'scenarios' | 'enforcedBy'>, { colour }: { colour: boolean }): string {
  const rows = run.scenarios.map((scenario) => cellsOf(scenario));
  const widths = HEAD.map((title, column) =>
    Math.max(title.length, ...rows.flatMap((cells) => (cells[column] ?? []).map((line) => line.length))),
  );
  const rule = widths.map((width) => '─'.repeat(width)).join('─┼─');
  const paint = (scenario: ScenarioResult, text: string) =>
    colour ? styleText(COLOUR[scenario.outcome], text, { validateStream: false }) : text;
  const lines = [rowOf(HEAD, widths), rule];
  for (const [index, cells] of rows.entries()) {
    const scenario = run.scenarios[index] as ScenarioResult;
    const height = Math.max(...cells.map((cell) => cell.length));
    for (let line = 0; line < height; line++) {
      const [outcome = '', ...others] = cells.map((cell) => cell[line] ?? '');
      const [first, rest] = splitFirst(rowOf([outcome, ...others], widths), widths[0] as number);
      lines.push(paint(scenario, first) + rest);
    }
    for (const reason of scenario.reasons)
      lines.push(paint(scenario, `${' '.repeat(widths[0] as number)} ↳ ${reason}`));
  }
  const counts = Object.keys(COLOUR)
    .map((outcome) => ({ outcome, of: run.scenarios.filter((scenario) => scenario.outcome === outcome).length }))
    .filter(({ outcome, of }) => outcome !== 'not run' || of > 0)
    .map(({ outcome, of }) => `${of} ${outcome}`);
  lines.push(rule, `${counts.join(', ')}; limits enforced by ${run.enforcedBy}`);
  return lines.map((line) => (colour ? line : stripVTControlCharacters(line)).trimEnd()).join('\n');
}

function cellsOf(scenario: ScenarioResult): string[][] {
  const figures = Object.entries(scenario.figures)
    .slice(0, FIGURES_SHOWN)
    .map(([name, value]) => `${figureName(name)} ${figure(name, value)}`);
  const boxes = Object.entries(scenario.boxes).map(
    ([name, { neededPeakBytes, peakBytes, limitBytes, oomKills }]) =>
      `${name} ${megabytes(neededPeakBytes)} of ${megabytes(limitBytes)} (${megabytes(peakBytes)} with cache)${oomKills > 0 ? `, KILLED ${oomKills}×` : ''}`,
  );
  return [
    [scenario.outcome],
    [scenario.name, duration(scenario.seconds)],
    wrapped(scenario.line, LINE_CHARS),
    wrapped(figures.join(', '), FIGURES_CHARS),
    boxes,
  ];
}

function rowOf(cells: readonly string[], widths: readonly number[]): string {
  return cells.map((cell, column) => cell.padEnd(widths[column] as number)).join(' │ ');
}

function splitFirst(text: string, at: number): [string, string] {
  return [text.slice(0, at), text.slice(at)];
}

/** Broken at spaces, a longer word in one piece. */
function wrapped(text: string, chars: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > chars) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
