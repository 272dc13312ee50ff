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
    .map(([name, value]) => said(name, value));
  const ending = outcome.ending === 'finished' ? [] : [`**${outcome.ending}**`];
  return [...ending, `peak ${Math.round(outcome.peakBytes / MB)} MB`, ...figures].join(', ');
}

/** `walkSeconds` is said as `walk 30.4 s`, `conversationServerCpuMs` as `conversation server cpu 0.36 ms`. */
function said(name: string, value: number): string {
  const words = (stem: string) => stem.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  if (name.endsWith('Seconds')) return `${words(name.slice(0, -'Seconds'.length))} ${Math.round(value * 10) / 10} s`;
  if (name.endsWith('Ms')) return `${words(name.slice(0, -'Ms'.length))} ${Math.round(value * 100) / 100} ms`;
  const digits = name.endsWith('Ratio') ? 100 : 10;
  return `${words(name)} ${Math.round(value * digits) / digits}`;
}

/** The figures that say what broke or held; the rest stays in the result file. */
const SHOWN = [
  'missed',
  'walkSeconds',
  'mails',
  'hashes',
  'writeSeconds',
  'lost',
  'answered',
  'perSecond',
  'refused',
  'conversationServerCpuMs',
  'staleOwnReads',
  'failed',
  'levelReplicaShare',
  'delayedReplicaShare',
  'goneReplicaShare',
  'foreignRows',
  'pageCostRatio',
  'pointCostRatio',
];
