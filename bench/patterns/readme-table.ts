import { readFileSync, writeFileSync } from 'node:fs';
import { MB, type Outcome } from './pattern.ts';
import type { PatternResult } from './run.ts';

const BEGIN = '<!-- made by npm run bench:patterns -- --write-readme -->';
const END = '<!-- end -->';

/** Puts the results between the two marks of the README, which it must have. */
export function writeReadmeTable(file: string, results: readonly PatternResult[]): void {
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from === -1 || to < from) throw new Error(`${file} has no place for the table: ${BEGIN} … ${END}`);
  writeFileSync(file, `${text.slice(0, from + BEGIN.length)}\n\n${patternTable(results)}\n${text.slice(to)}`);
}

export function patternTable(results: readonly PatternResult[]): string {
  const rows = results.map(
    ({ slug, asks, naive, hardened }) =>
      `| [${slug}](bench/patterns/${slug}) | ${asks} | ${cell(naive)} | ${cell(hardened)} |`,
  );
  return ['| pattern | asked of both, in 512 MB | naive | hardened |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function cell(outcome: Outcome): string {
  const figures = Object.entries(outcome.figures)
    .filter(([name]) => SHOWN.includes(name))
    .map(
      ([name, value]) =>
        `${name.replace('Seconds', '')} ${Math.round(value * 10) / 10}${name.endsWith('Seconds') ? ' s' : ''}`,
    );
  const ending = outcome.ending === 'finished' ? [] : [`**${outcome.ending}**`];
  return [...ending, `peak ${Math.round(outcome.peakBytes / MB)} MB`, ...figures].join(', ');
}

/** The figures that say what broke or held; the rest stays in the result file. */
const SHOWN = ['missed', 'walkSeconds', 'mails', 'hashes'];
