/** The same bytes give the same rows, however they arrive: nothing here depends on a network or on how fast it is. */

import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ENCODINGS } from '../../../src/modules/employees/csv-encoding.ts';
import { readEmployees } from '../../../src/modules/employees/csv-file.ts';
import type { Choices } from '../../../src/modules/employees/csv-reading.ts';
import { IMPORT_LINE_BYTES_MAX, IMPORT_SNIFF_BYTES } from '../../../src/modules/employees/limits.ts';
import { encode } from './encode.ts';

const RUNS = 60;
const SEED = 1;
const HEADER = 'name,email,team,notes\n';
const CHUNK_BYTES = 16 * 1024; // as sockets give them

test('letters of another encoding behind an ASCII beginning cost only their rows, at whatever size the chunks come', async () => {
  const head = ascii(IMPORT_SNIFF_BYTES);
  const line = head.split('\n').length;
  const rows = ['Jürgen,j@a.test,Sales', 'Ada,ada@a.test,Größe', 'Ben,ben@a.test,Sales'].join('\n');
  const file = Buffer.concat([Buffer.from(head), Buffer.from(rows, 'latin1')]);
  for (const bytes of [1_000, CHUNK_BYTES, IMPORT_SNIFF_BYTES - 1, IMPORT_SNIFF_BYTES + 1, file.length]) {
    const { encoding, rows: read } = await readIn(inChunks(file, bytes));
    expect(encoding, `${bytes} bytes`).toBe('utf-8');
    expect(read.slice(-3)).toEqual([
      { line, reason: 'contains characters that are not valid UTF-8' },
      { line: line + 1, reason: 'contains characters that are not valid UTF-8' },
      { line: line + 2, name: 'Ben', email: 'ben@a.test', team: 'Sales' },
    ]);
  }
});

test('a file that has nothing of UTF-8 in its beginning is read by that beginning, at whatever size the chunks come', async () => {
  const head = ascii(IMPORT_SNIFF_BYTES - 100);
  const latin1 = Buffer.from(`${head}Jürgen Größe,j@a.test,Sales\nBen,ben@a.test,Sales,${'x'.repeat(100)}\n`, 'latin1');
  const file = Buffer.concat([latin1, Buffer.from('Zoë Größe,zoe@a.test,Übersetzung\n'.repeat(5))]);
  const whole = await readIn([file]);
  expect(whole.encoding).toBe('windows-1252');
  expect(whole.rows.at(-1)).toMatchObject({ reason: expect.stringContaining('looks like UTF-8') });
  for (const bytes of [1_000, CHUNK_BYTES, IMPORT_SNIFF_BYTES + 1])
    expect(await readIn(inChunks(file, bytes))).toEqual(whole);
});

test('the same UTF-8 gives the same rows, wherever it is cut', async () => {
  const piece = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...PIECES).map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes)) },
  );
  await holdsForCuts(fc.tuple(fc.constant<Choices>({}), fc.constant('utf-8'), fc.array(piece, { maxLength: 40 })));
});

test('the same bytes of any encoding give the same rows, wherever they are cut', async () => {
  const tail = fc.constantFrom(...ENCODINGS).chain((encoding) => {
    const row = fc.constantFrom(...PIECES.filter((text) => /^[\x20-\x7e\r\n]*$/.test(text)));
    const piece = fc.oneof(
      row.map((text) => encode(text, encoding)),
      fc.uint8Array({ maxLength: 7 }).map((bytes) => Buffer.from(bytes)),
    );
    return fc.tuple(fc.constant<Choices>({ encoding }), fc.constant(encoding), fc.array(piece, { maxLength: 40 }));
  });
  await holdsForCuts(tail);
});

test('nothing is read behind a row that never ends, and all before it, whatever has arrived by then', async () => {
  const people = (first: number) =>
    Array.from({ length: 100 }, (_, n) => `Person ${first + n},p${first + n}@a.test,Sales\n`).join('');
  const endless = `Ada ${'x'.repeat(IMPORT_LINE_BYTES_MAX)}\n`;
  const file = Buffer.from(`${ascii(IMPORT_SNIFF_BYTES)}${people(100)}${endless}${people(200)}`);
  const whole = await readIn([file]);
  expect(whole.error).toContain('is longer than 16 kB');
  expect(whole.rows.at(-1)).toMatchObject({ name: 'Person 199' });
  const lineEnds = [...file.keys()].filter((place) => file[place] === 10);
  for (const isSlow of [false, true]) {
    for (const bytes of [100, CHUNK_BYTES]) expect(await readIn(inChunks(file, bytes), {}, isSlow)).toEqual(whole);
    for (const behind of [0, 1, 2, 3])
      expect(
        await readIn(
          cutAt(
            file,
            lineEnds.map((place) => place + behind),
          ),
          {},
          isSlow,
        ),
      ).toEqual(whole);
  }
});

/** What a file may be made of: each of these can be cut in two, or has something behind it that matters. */
const PIECES = [
  ...['Ada Löwe,ada@a.test,Sales', 'Ben,ben@a.test,Größe', '李雷,li@a.test,😀', 'Cleo,cleo@a.test,Sales'],
  ...['\n', '\n', '\r\n', '\r', '"', '""', '"Ada ""A"", Countess"', ',', ' ', '\t', ';', '\0'],
  ...['\uFEFF', '\u00a0', '\u2003', 'x'.repeat(50), HEADER],
];

/** Compares the file as one chunk with the same file cut, read as fast and as slowly as it goes. */
async function holdsForCuts(tails: fc.Arbitrary<[Choices, string, Buffer[]]>): Promise<void> {
  const cuts = fc.array(fc.nat({ max: 600 }), { maxLength: 40 });
  let rows = 0;
  let rejected = 0;
  await fc.assert(
    fc.asyncProperty(
      tails,
      fc.nat({ max: 200 }),
      cuts,
      fc.boolean(),
      async ([choices, encoding, tail], inHead, at, isSlow) => {
        const isWide = encoding.startsWith('utf-16');
        const text = ascii(IMPORT_SNIFF_BYTES / (isWide ? 2 : 1) - inHead);
        const head = isWide ? encode(text, encoding) : Buffer.from(text);
        const file = Buffer.concat([head, ...tail]);
        const whole = await readIn([file], choices);
        rows += whole.rows.length;
        rejected += whole.rows.filter((row) => 'reason' in row).length;
        const places = at.map((place) => head.length - 100 + place);
        expect(await readIn(cutAt(file, places), choices, isSlow)).toEqual(whole);
      },
    ),
    { numRuns: RUNS, seed: SEED },
  );
  expect(rows).toBeGreaterThan(5 * RUNS);
  expect(rejected).toBeGreaterThan(RUNS / 4);
}

async function readIn(chunks: readonly Buffer[], choices: Choices = {}, isSlow = false) {
  const rows: object[] = [];
  let encoding: string | undefined;
  let error: string | undefined;
  const read = readEmployees(Readable.from(chunks), choices, (reading) => {
    encoding = reading.encoding.encoding;
  });
  try {
    for await (const row of read) {
      rows.push(row);
      if (isSlow) await setImmediate();
    }
  } catch (thrown) {
    error = (thrown as Error).message;
  }
  return { encoding, rows, error };
}

/** A table of about as many characters, in few and long rows. */
function ascii(characters: number): string {
  const row = `Ada,ada@a.test,Sales,${'x'.repeat(8_000)}\n`;
  const rows = `${HEADER}${row.repeat((characters - HEADER.length) / row.length)}`;
  const rest = characters - rows.length;
  return rest < 30 ? rows : `${rows}${'Zoe,zoe@a.test,Sales,'.padEnd(rest - 1, 'x')}\n`;
}

function inChunks(file: Buffer, bytes: number): Buffer[] {
  return cutAt(
    file,
    Array.from({ length: Math.ceil(file.length / bytes) }, (_, n) => n * bytes),
  );
}

function cutAt(file: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set([...places.filter((place) => place > 0 && place < file.length), file.length])];
  return ends.toSorted((a, b) => a - b).map((end, n, all) => file.subarray(n === 0 ? 0 : all[n - 1], end));
}
