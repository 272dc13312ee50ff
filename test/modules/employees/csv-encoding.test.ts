/** A guess is made from what a file has, wherever in it that stands, and no row is written that contradicts it. */
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { textIn } from '../../../src/modules/employees/cell-text.ts';
import { encodingOf } from '../../../src/modules/employees/csv-encoding.ts';
import { readEmployees } from '../../../src/modules/employees/csv-file.ts';
import type { Choices } from '../../../src/modules/employees/csv-reading.ts';
import { previewImport } from '../../../src/modules/employees/import-preview.ts';
import { IMPORT_GUESS_BYTES, IMPORT_SNIFF_BYTES } from '../../../src/modules/employees/limits.ts';
import { FOREIGN_WORDS, WESTERN_WORDS } from './code-page-words.ts';
import { encode } from './encode.ts';

const FOREIGN: [encoding: string, name: string, team: string][] = [
  ['windows-1250', 'Łukasz Żółć', 'Gdańsk'],
  ['windows-1250', 'Anna Dąbrowska', 'Sprzedaż'],
  ['windows-1250', 'Jiří Dvořák', 'Účetnictví'],
  ['windows-1250', 'Jana Kučera', 'Praha'],
  ['windows-1250', 'Petr Ľubomír', 'Praha'],
  ['windows-1250', 'Erdős Pál', 'Budapest'],
  ['windows-1250', 'Fűzfa Anna', 'Budapest'],
  ['windows-1250', 'Ion Popescu', 'Bucureşti'],
  ['windows-1250', 'Ivan Kovačić', 'Zagreb'],
  ['windows-1251', 'Алексей Иванов', 'Бухгалтерия'],
  ['windows-1253', 'Γιώργος Παπαδόπουλος', 'Λογιστήριο'],
  ['windows-1254', 'Ayşe Yıldız', 'Satış'],
  ['windows-1255', 'דוד כהן', 'הנהלה'],
  ['windows-1256', 'محمد علي', 'المحاسبة'],
  ['windows-1257', 'Rūta Šimkutė', 'Vilnius'],
  ['koi8-r', 'Алексей Иванов', 'Бухгалтерия'],
  ['macintosh', 'Jürgen Größe', 'Büro'],
  ['shift_jis', '山田太郎', '営業'],
];
describe.each(FOREIGN)('a name in %s (%s) behind names that are windows-1252 too', (encoding, name, team) => {
  const odd = encode(`${name};odd@a.test;${team}\r\n`, encoding);

  test('makes the guess unsure, wherever in the beginning of the file it stands', async () => {
    const head = Buffer.concat([...germans(2 * IMPORT_GUESS_BYTES), odd, ...germans(1_000)]);
    expect(await previewImport(head, {})).toMatchObject({ encodingKnownBy: 'guess', encodingSure: false });
    await expect(read(head)).rejects.toThrow(
      `It is not UTF-8, and which encoding it is in cannot be told for certain: it may be `,
    );
  });

  test('costs its row behind the beginning, unless the encoding was chosen', async () => {
    const file = Buffer.concat([...germans(IMPORT_SNIFF_BYTES + 1_000), odd, ...germans(1_000)]);
    const rejected = (await read(file)).filter((row) => 'reason' in row);
    expect(rejected).toHaveLength(1);
    if (!['macintosh', 'shift_jis'].includes(encoding))
      expect(rejected[0]).toMatchObject({
        reason: expect.stringMatching(
          /^does not look like windows-1252, the encoding that the beginning of the file was taken for: ".+"\. If it is right, send the file again with encoding=windows-1252; otherwise choose the encoding of the file$/,
        ),
      });
    if (encoding === 'windows-1250')
      expect(await read(file, { encoding })).toContainEqual(expect.objectContaining({ name, team }));
  });
});

describe.each(WESTERN_WORDS)('%s', (word) => {
  const row = encode(`${word};own@a.test;${word}\r\n`, 'windows-1252');

  test.skipIf(/^\p{ASCII}*$/u.test(word))('is read in a small file, whatever its neighbours are', async () => {
    const ascii = Buffer.from('Name;E-Mail;Team\r\nAda Berg;a@a.test;IT\r\n');
    for (const before of [ascii, ...germans(100)]) {
      const rows = await read(Buffer.concat([before, row]));
      expect(rows).toContainEqual(expect.objectContaining({ name: asRead(word), email: 'own@a.test' }));
    }
  });

  test('leaves the guess of a long file sure', async () => {
    const head = Buffer.concat([...germans(2 * IMPORT_GUESS_BYTES), row, ...germans(1_000)]);
    expect(await encodingOf(head, {})).toMatchObject({ encoding: 'windows-1252', sure: true });
  });
});

test('all of these are read behind the beginning of a file too', async () => {
  const rows = WESTERN_WORDS.map((word, n) => encode(`${word};own${n}@a.test;${word}\r\n`, 'windows-1252'));
  const found = await read(Buffer.concat([...germans(IMPORT_SNIFF_BYTES + 1_000), ...rows]));
  expect(found.filter((row) => 'reason' in row)).toEqual([]);
  expect(found.slice(-WESTERN_WORDS.length)).toMatchObject(WESTERN_WORDS.map((word) => ({ name: asRead(word) })));
});

test('French and Portuguese rows behind thousands of German ones are read', async () => {
  const names = ['João Simões', 'Conceição Simões', 'Aurélie Dûchâteau'];
  const rows = names.map((name, n) => encode(`${name};own${n}@a.test;Équipe\r\n`, 'windows-1252'));
  const found = await read(Buffer.concat([...germans(IMPORT_SNIFF_BYTES + 1_000), ...rows]));
  expect(found.slice(-3)).toMatchObject(names.map((name) => ({ name })));
});

describe.each(FOREIGN_WORDS)('in %s', (encoding, words) => {
  test.each(words)('%s is never read as windows-1252 without a word', async (word) => {
    const row = encode(`${word};own@a.test;IT\r\n`, encoding);
    expect(await encodingOf(Buffer.concat([...germans(1_000), row]), {})).toMatchObject({ sure: false });
    expect(await encodingOf(Buffer.concat([Buffer.from('Name;E-Mail;Team\r\n'), row]), {})).toMatchObject({
      sure: false,
    });
  });
});

test('the refusal quotes the line that raised the doubt, and names windows-1252 among the guesses', async () => {
  const head = Buffer.concat([...germans(2_000), encode('Jan Łukasz;l@a.test;IT\r\n', 'windows-1250')]);
  const line = head.toString('latin1').split('\r\n').length - 1;
  await expect(read(head)).rejects.toThrow(`Line ${line} does not look like windows-1252: "Jan £ukasz".`);
  await expect(read(head)).rejects.toThrow(/it may be [^.]*windows-1252[^.]*\./);
});

/** Rows of at least so many bytes, behind their header where they begin the file. */
function germans(bytes: number): Buffer[] {
  const row = (n: number) => `Jürgen Müller${n};j${n}@a.test;München\r\n`;
  const rows = Array.from({ length: Math.ceil(bytes / row(0).length) }, (_, n) => row(n));
  return [encode(`Name;E-Mail;Team\r\n${rows.join('')}`, 'windows-1252')];
}

async function read(file: Buffer, choices: Choices = {}): Promise<object[]> {
  return Array.fromAsync(readEmployees(Readable.from([file]), choices));
}

/** Quotes around a text belong to the file, and the import takes them away. */
function asRead(word: string): string {
  return textIn(word);
}
