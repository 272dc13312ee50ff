import { readFileSync, writeFileSync } from 'node:fs';
import { loadPattern, type TwinName } from './pairs.ts';
import { MB, type Outcome, type PatternCase } from './pattern.ts';

type PairResult = { readonly slug: string } & { readonly [name in TwinName]: Outcome };
type Row = {
  readonly slug: string;
  readonly shipped: string;
  readonly withoutIt: string;
  readonly naive: string;
  readonly hardened: string;
};

const BEGIN = '<!-- made by npm run bench:patterns -- --write-readme -->';
const END = '<!-- end -->';

/** Puts the table between the two marks of the README, which it must have. */
export async function writeReadmeTable(file: string, results: readonly PairResult[]): Promise<void> {
  const [before, , after] = readmeParts(file);
  writeFileSync(file, `${before}\n\n${await patternTable(results)}\n${after}`);
}

/** The text up to the first mark, what is between the marks, and the rest, marks included. */
export function readmeParts(file: string): [before: string, table: string, after: string] {
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)];
  if (from < BEGIN.length || to < from) throw new Error(`${file} has no place for the table: ${BEGIN} … ${END}`);
  return [text.slice(0, from), text.slice(from, to), text.slice(to)];
}

/** In the order of the files in src/. */
export async function patternTable(results: readonly PairResult[]): Promise<string> {
  const rows = await Promise.all(results.map(async (result) => pairedRow(result, await loadPattern(result.slug))));
  const lines = rows
    .toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
    .map((row) => `| [${row.slug}](${row.shipped}) | ${row.withoutIt} | ${row.naive} | ${row.hardened} |`);
  return ['| pattern | breaks without it | naive | hardened |', '|---|---|---|---|', ...lines, ''].join('\n');
}

function pairedRow({ slug, ...outcomes }: PairResult, pattern: PatternCase<unknown, unknown>): Row {
  const { shipped, withoutIt } = pattern;
  const cell = (name: TwinName) => `[${headlineOf(pattern, outcomes[name])}](bench/patterns/${slug}/${name}.ts)`;
  return { slug, shipped, withoutIt, naive: cell('naive'), hardened: cell('hardened') };
}

function headlineOf(pattern: PatternCase<unknown, unknown>, { ending, figures, seconds, peakBytes }: Outcome): string {
  switch (ending) {
    case 'finished':
      return pattern.headline(figures);
    case 'too slow':
      return `not finished after ${Math.round(seconds)} seconds`;
    default:
      return `${ending} at ${Math.round(peakBytes / MB)} megabytes`;
  }
}

function placeOf({ shipped, slug }: Row): string {
  return `${shipped} ${slug}`;
}
