import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { fastify } from 'fastify';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { csvLine, sendCsv, textOfCell } from '../../src/http/csv-reply.ts';
import { EXPORT_WINDOW_MS } from '../../src/limits.ts';
import { until } from '../database.ts';

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

describe('the rule is that of one expression, which would look ahead from each separator anew:', () => {
  const SIGN = '[=+\\-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b\u2212]';
  const START = String.raw`(?<=^|[,;|\t\r\n\v\f\x85\u2028\u2029])`;
  const AHEAD = String.raw`(?=[\s"'\p{Cc}\p{Cf}]*${SIGN})`;
  const unquoted = (line: string) => cells(line)[0] ?? '';

  test('for any text of the characters that matter', () => {
    const unit = fc.constantFrom(...'=-@\u2212\uff1d\'" a,;|\n\t\r\v\f\x85\u2028\u200b\0', '\u{e0041}', '\u{1f43b}');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 16 }), (text) => {
        expect(unquoted(csvLine([text]))).toBe(text.replace(new RegExp(START + AHEAD, 'gu'), "'"));
        expect(textOfCell(text)).toBe(text.replace(new RegExp(`${START}'${AHEAD}`, 'gu'), ''));
      }),
      { seed: 1, numRuns: 5_000 },
    );
  });

  /** Where the cost grows with the square of the length, these take hours, and the test times out. */
  test.each([
    ['separators and no sign behind them', `=${"\n'".repeat(500_000)}`, `'=${"\n'".repeat(500_000)}`],
    ['quotes', `a=${"'".repeat(1_000_000)}`, `a=${"'".repeat(1_000_000)}`],
    ['separators before a sign', `${'\t'.repeat(1_000_000)}=`, `'${"\t'".repeat(1_000_000)}=`],
  ])('a million %s take no time', (_what, text, defused) => {
    expect(csvLine([text]).includes(defused)).toBe(true);
    expect(textOfCell(defused) === text).toBe(true);
  });
});

test('a harmless text is left unchanged', () => {
  expect(csvLine(['a=b', '1-2', "it's"])).toBe("a=b,1-2,it's\r\n");
});

test('a HEAD request gets the headers of an export, and not one page is read for it', async () => {
  const { url, read } = await exporting(50);
  const answer = await fetch(url, { method: 'HEAD' });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  await until('the export has ended', () => read.ended === 1);
  expect(read.pages).toBe(0);
});

test('an export ends when it has been read, and when its client has gone, but not before its last page was read', async () => {
  const { url, read } = await exporting(50);
  expect((await (await fetch(url)).text()).match(/row/g)).toHaveLength(50);
  await until('the export has ended', () => read.ended === 1);

  const page = Promise.withResolvers<void>();
  read.gate = page.promise;
  const client = connect(Number(new URL(url).port), '127.0.0.1');
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await until('a page is being read', () => read.pages === 51);
  client.destroy();
  await once(client, 'close');
  await fetch(`${url}/nowhere`);
  expect(read.ended).toBe(1);
  page.resolve();
  await until('the export has ended', () => read.ended === 2);
});

test('an export is cut off when its client takes next to nothing of it, and not when it is we who are slow', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const { url, read } = await exporting(1_000_000, 'x'.repeat(10_000));
  const page = Promise.withResolvers<void>();
  read.gate = page.promise;
  const client = connect(Number(new URL(url).port), '127.0.0.1').pause();
  onTestFinished(() => void client.destroy());
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await until('a page is being read', () => read.pages === 1);
  vi.advanceTimersByTime(2 * EXPORT_WINDOW_MS);
  page.resolve();
  await until('the client is waited for', async () => {
    const before = read.pages;
    await new Promise((resolve) => setTimeout(resolve, 50));
    return before > 1 && read.pages === before;
  });
  vi.advanceTimersByTime(EXPORT_WINDOW_MS); // it has taken what fits into the buffers
  expect(read.ended).toBe(0);
  vi.advanceTimersByTime(EXPORT_WINDOW_MS);
  await until('the export has ended', () => read.ended === 1);
});

async function exporting(pages: number, text = 'row') {
  const read = { pages: 0, ended: 0, gate: Promise.resolve() };
  async function* rows() {
    for (let page = 0; page < pages; page++) {
      read.pages++;
      await read.gate;
      yield [[text]];
    }
  }
  const app = fastify();
  app.get('/', async (_request, reply) => sendCsv(reply, 'a.csv', ['name'], rows()).finally(() => read.ended++));
  await app.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => app.close());
  return { url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`, read };
}

function cells(line: string): string[] {
  return (parse(line, { record_delimiter: '\r\n' }) as string[][])[0] as string[];
}
