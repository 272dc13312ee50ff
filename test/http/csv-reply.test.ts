import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { csvLine, textOfCell } from '../../src/http/csv-reply.ts';

const SIGNS = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
const SEPARATORS = [';', '\t', ',', '|', '\n', '\r', '\r\n'];

test.each([
  '=HYPERLINK("http://evil.example")',
  '+1+2',
  '-2+3',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  ' =1',
  '"=1"',
  '\u200b=1',
  '＝1',
])('a text that a spreadsheet would run as a formula is defused: %j', (text) => {
  expect(cells(csvLine([text]))[0]).toMatch(/^'/);
});

test.each(SEPARATORS)('no cell is a formula for a reader whose separator is %j', (separator) => {
  for (const sign of SIGNS) {
    for (const between of ['', ' ', '"', ' " ', "'", '\u00a0', '\u200b', '""']) {
      const line = csvLine(['before', `fine${separator}${between}${sign}1+1`, `${between}${sign}1`]);
      // As the reader takes it that looks for the separator only, quotes or not.
      const cellsRead = line.split(/[;\t,|\r\n]/);
      for (const cell of cellsRead) expect(cell).not.toMatch(/^[\s"\u200b]*[=+\-@＝＋－＠]/);
    }
  }
});

test('numbers stay numbers, even below zero, and null is an empty field', () => {
  expect(csvLine([-0.5, 3, null, 'a'])).toBe('-0.5,3,,a\r\n');
});

test.each(['a,b', 'say "hello"', 'two\nlines', 'two\r\nlines', '"', ',', ' spaces ', 'a;b', 'a\tb', 'Ünïcödé 🐻'])(
  'a parser reads back what was written: %j',
  (text) => {
    expect(cells(csvLine(['before', text, 'after']))).toEqual(['before', text, 'after']);
  },
);

test.each(['a;b', 'a\tb', 'a|b', 'a\rb', 'a\vb', ' a', 'a '])('%j is quoted', (text) => {
  expect(csvLine([text])).toBe(`"${text}"\r\n`);
});

describe('a cell that comes back from our own file is the text that went out:', () => {
  test.each([
    "'=1",
    "''=1",
    "'a",
    "it's",
    "' =1",
    '\n\n=1',
    "a;'=1",
    "a\n'\n-1",
    '=',
    "'",
    `"'=1"`,
    'x;=1\n- two\n- three',
  ])('%j', (text) => {
    expect(textOfCell(cells(csvLine([text]))[0] as string)).toBe(text);
  });

  test('any text of the characters that matter', () => {
    const alphabet = ['=', '-', "'", '"', ';', ',', '\n', '\t', ' ', 'a', '＝', '\u200b'];
    for (let seed = 0; seed < 20_000; seed++) {
      let [rest, text] = [seed * 7919, ''];
      for (let n = 0; n < 7; n++) {
        text += alphabet[rest % alphabet.length];
        rest = Math.floor(rest / alphabet.length);
      }
      const read = cells(csvLine(['before', text]))[1] as string;
      if (textOfCell(read) !== text) expect(textOfCell(read)).toBe(text);
    }
  });
});

test('a harmless text is left unchanged', () => {
  expect(csvLine(['a=b', '1-2', "it's"])).toBe("a=b,1-2,it's\r\n");
});

function cells(line: string): string[] {
  return (parse(line, { record_delimiter: '\r\n' }) as string[][])[0] as string[];
}
