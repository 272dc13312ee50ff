/** SQL as people read it: a line per clause, no quotes around names that need none. What it means stays the same. */

const LINE_CHARS = 120;

const TOKEN =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|\b(?:(?:inner|left|cross)\s+)?join\b(?:\s+lateral\b)?|\b(?:is\s+(?:not\s+)?distinct|delete)\s+from\b|\bdo\s+update\s+set\b|\bfor\s+(?:no\s+key\s+)?update\b|\b(?:group|order)\s+by\b|\binsert\s+into\b|\bon\s+conflict\b|\bunion\s+all\b|[^\s'"(),]+|[(),]|\s+/gi;

const CLAUSE =
  /^(?:select|from|(?:(?:inner|left|cross) )?join(?: lateral)?|where|group by|having|order by|limit|for (?:no key )?update|union all|insert into|values|on conflict|update|set|delete from|using|returning)$/i;

export function laidOut(sql: string): string {
  const tokens = (sql.trim().match(TOKEN) ?? []).map(plain);
  const lines = [''];
  /** For each open bracket: whether a statement begins in it, whose clauses get lines of their own. */
  const brackets: boolean[] = [];
  const newLine = (text: string) => lines.push('  '.repeat(brackets.filter(Boolean).length) + text);
  for (const [index, token] of tokens.entries()) {
    const endsStatement = token === ')' && brackets.pop() === true;
    const beginsClause = CLAUSE.test(token) && (brackets.at(-1) ?? true) && lines.at(-1) !== '';
    if (endsStatement || beginsClause) newLine(token);
    else lines.push(`${lines.pop()}${token}`);
    if (token === '(') brackets.push(/^(?:select|with|insert into|update|delete from)$/i.test(nextWord(tokens, index)));
  }
  return lines
    .flatMap((line) => wrapped(line.trimEnd()))
    .filter((line) => line !== '')
    .join('\n');
}

function nextWord(tokens: string[], index: number): string {
  return tokens.slice(index + 1, index + 3).find((token) => token !== ' ') ?? '';
}

/** kysely quotes every name. */
function plain(token: string): string {
  if (token.startsWith("'")) return token;
  const name = /^"([a-z_][a-z0-9_]*)"$/.exec(token)?.[1];
  if (name !== undefined && !RESERVED.has(name)) return name;
  return token.startsWith('"') ? token : token.replace(/\s+/g, ' ');
}

const RESERVED = new Set(
  'all and any array as asc both case cast check collate column constraint create cross default desc distinct do else end except false fetch for foreign freeze from full grant group having in initially inner intersect into is join lateral leading left like limit natural not null offset on only or order outer placing primary references returning right select some table then to trailing true union unique user using variadic verbose when where window with'.split(
    ' ',
  ),
);

function wrapped(line: string, indent = `${/^ */.exec(line)?.[0]}    `): string[] {
  if (line.length <= LINE_CHARS) return [line];
  const head = line.slice(0, LINE_CHARS);
  const cut = Math.max(head.lastIndexOf(', ') + 1, head.lastIndexOf(' and '));
  const insideText = (head.slice(0, cut).match(/'/g)?.length ?? 0) % 2 === 1;
  if (cut <= indent.length || insideText) return [line];
  return [line.slice(0, cut), ...wrapped(indent + line.slice(cut).trim(), indent)];
}
