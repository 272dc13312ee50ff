/** What a condition of a plan, as EXPLAIN writes it, says about the columns of its table. */

export interface Conditions {
  /** Columns that must equal something known. */
  readonly equal: ReadonlySet<string>;
  /** Columns with an upper and a lower end, or the beginning of a text. */
  readonly between: ReadonlySet<string>;
}

export function conditionsOf(...texts: (string | undefined)[]): Conditions {
  const equal = new Set<string>();
  const between = new Set<string>();
  const from = new Set<string>();
  const to = new Set<string>();
  for (const term of texts.flatMap(conjuncts)) {
    const [, column = '', operator = ''] = /^\(*(?:ROW\()?(?:\w+\.)?"?(\w+)"?(?:, [^)]*\))? (\S+) /.exec(term) ?? [];
    if (operator === '=') equal.add(column);
    else if (operator === '^@') between.add(column);
    else if (/^~?[<]=?~?$/.test(operator)) to.add(column);
    else if (/^~?[>]=?~?$/.test(operator)) from.add(column);
  }
  for (const column of from) if (to.has(column)) between.add(column);
  return { equal, between };
}

/** `((a = 1) AND ((b = 2) OR (c = 3)))` to its parts that must all hold. */
export function conjuncts(text: string | undefined): string[] {
  if (text === undefined) return [];
  const inner = outerBracketsOf(text);
  const parts: string[] = [];
  let depth = 0;
  let begin = 0;
  for (let index = 0; index < inner.length; index++) {
    if (inner[index] === '(') depth++;
    else if (inner[index] === ')') depth--;
    else if (depth === 0 && inner.startsWith(' AND ', index)) {
      parts.push(inner.slice(begin, index));
      begin = index + ' AND '.length;
    }
  }
  return [...parts, inner.slice(begin)].map(outerBracketsOf);
}

function outerBracketsOf(text: string): string {
  if (!text.startsWith('(') || !text.endsWith(')')) return text;
  let depth = 0;
  for (let index = 0; index < text.length - 1; index++) {
    if (text[index] === '(') depth++;
    else if (text[index] === ')') depth--;
    if (depth === 0) return text; // the first bracket closes before the end: the two are not a pair
  }
  return outerBracketsOf(text.slice(1, -1));
}
