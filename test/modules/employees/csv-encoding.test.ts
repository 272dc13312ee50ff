/** A guess is made from what a file has, wherever in it that stands, and no row is written that contradicts it. */
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { readEmployees } from '../../../src/modules/employees/csv-file.ts';
import type { Choices } from '../../../src/modules/employees/csv-reading.ts';
import { previewImport } from '../../../src/modules/employees/import-preview.ts';
import { IMPORT_GUESS_BYTES, IMPORT_SNIFF_BYTES } from '../../../src/modules/employees/limits.ts';
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
const WESTERN = [
  ...['Jürgen Müller', 'Søren Bøe', 'Åsa Öberg', 'Æsa Kjær', 'François Lefèvre', 'Hélène Molière', 'Benoît Dûment'],
  ...['Noël Ménière', 'Zoë d’Haëne', 'João Simões', 'Inês Conceição', 'Íñigo Núñez', 'José Muñoz', 'Mª Ángeles Peña'],
  ...[
    'Niccolò Caffè',
    'Mònica Puig',
    'Renée O’Brien',
    'Émile Œuvrard',
    'Jean-Noël Côté',
    'Frau Weiß',
    'Désirée Grönemeyer',
  ],
];

describe.each(FOREIGN)('a name in %s (%s) behind names that are windows-1252 too', (encoding, name, team) => {
  const odd = encode(`${name};odd@a.test;${team}\r\n`, encoding);

  test('makes the guess unsure, wherever in the beginning of the file it stands', async () => {
    const head = Buffer.concat([...germans(2 * IMPORT_GUESS_BYTES), odd, ...germans(1_000)]);
    expect(await previewImport(head, {})).toMatchObject({ encodingKnownBy: 'guess', encodingSure: false });
    await expect(read(head)).rejects.toThrow('It is not UTF-8, and its names can be read in more than one way');
  });

  test('costs its row behind the beginning, unless the encoding was chosen', async () => {
    const file = Buffer.concat([...germans(IMPORT_SNIFF_BYTES + 1_000), odd, ...germans(1_000)]);
    const rejected = (await read(file)).filter((row) => 'reason' in row);
    expect(rejected).toHaveLength(1);
    if (!['macintosh', 'shift_jis'].includes(encoding))
      expect(rejected[0]).toMatchObject({
        reason: expect.stringMatching(
          /^is hardly windows-1252, which was guessed from the beginning of the file: ".+"\. Choose the encoding of the file and send it again$/,
        ),
      });
    if (encoding === 'windows-1250')
      expect(await read(file, { encoding })).toContainEqual(expect.objectContaining({ name, team }));
  });
});

test.each(WESTERN)('%s is read, in the beginning of a file and behind it', async (name) => {
  const row = encode(`${name};own@a.test;Büro\r\n`, 'windows-1252');
  const french = encode('Chloé Lefèvre;c@a.test;Comptabilité\r\n', 'windows-1252');
  for (const before of [0, 2 * IMPORT_GUESS_BYTES, IMPORT_SNIFF_BYTES + 1_000]) {
    const rows = await read(Buffer.concat([...germans(100), french, ...germans(before), row, ...germans(100)]));
    expect(rows.filter((one) => 'reason' in one)).toEqual([]);
    expect(rows).toContainEqual(expect.objectContaining({ name, email: 'own@a.test' }));
  }
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
