import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { csvLine } from '../../src/http/csv-reply.ts';

test.each(['=HYPERLINK("http://evil.example")', '+1+2', '-2+3', '@SUM(A1)', '\t=1', '\r=1'])(
  'a text that a spreadsheet would run as a formula is defused: %j',
  (text) => {
    expect(fields(csvLine([text]))).toEqual([`'${text}`]);
  },
);

test('numbers stay numbers, even below zero, and null is an empty field', () => {
  expect(csvLine([-0.5, 3, null, 'a'])).toBe('-0.5,3,,a\r\n');
});

test.each(['a,b', 'say "hello"', 'two\nlines', 'two\r\nlines', '"', ',', ' spaces ', 'Ünïcödé 🐻'])(
  'a parser reads back what was written: %j',
  (text) => {
    expect(fields(csvLine(['before', text, 'after']))).toEqual(['before', text, 'after']);
  },
);

test('a harmless text is left unchanged', () => {
  expect(csvLine(['a=b', '1-2', "it's"])).toBe("a=b,1-2,it's\r\n");
});

function fields(line: string): string[] {
  return (parse(line) as string[][])[0] as string[];
}
