import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { IMPORT_SNIFF_BYTES } from '../../../src/modules/employees/limits.ts';
import type { ApiClient } from '../../api-client.ts';
import { type RunningApi, runApi } from '../../running-api.ts';
import { encode } from './encode.ts';
import { csvOf, employeesOf, importFile } from './import-api.ts';

interface Preview {
  readonly encoding: string;
  readonly encodingKnownBy: string;
  readonly encodingSure: boolean;
  readonly encodings: string[];
  readonly doubtfulLines: { line: number; text: string }[];
  readonly delimiter: string;
  readonly headerLine: number | null;
  readonly titles: string[];
  readonly columns: { name: number[]; email: number | null; team: number | null };
  readonly problem: string | null;
  readonly rowsRead: number;
  readonly rowsRejected: number;
  readonly rows: { line: number; cells: string[]; employee: object | null; rejected: string | null }[];
  readonly detail: string;
}

let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi();
});
beforeEach(async () => {
  owner = await api.newOwner();
});
afterAll(() => api.stop());

function preview(file: string | Uint8Array, choices = '', type = 'text/csv') {
  return owner.send<Preview>('POST', `/api/v1/imports/preview${choices && `?${choices}`}`, file, {
    'content-type': type,
  });
}

test('it shows what each column becomes and what becomes of each row, and writes nothing', async () => {
  const file = 'Staff;;\nVorname;Nachname;Mail;Raum\nAda;Löwe;ada@a.test;7\n;;;\nBen;Größe;nobody;8\n';
  const { status, body } = await preview(file);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    encoding: 'utf-8',
    encodingKnownBy: 'its bytes',
    encodingSure: true,
    delimiter: ';',
    headerLine: 2,
    titles: ['Vorname', 'Nachname', 'Mail', 'Raum'],
    columns: { name: [1, 2], email: 3, team: null },
    problem: null,
    rowsRead: 2,
    rowsRejected: 1,
  });
  expect(body.rows).toEqual([
    {
      line: 3,
      cells: ['Ada', 'Löwe', 'ada@a.test', '7'],
      employee: { name: 'Ada Löwe', email: 'ada@a.test', team: 'General' },
      rejected: null,
    },
    {
      line: 5,
      cells: ['Ben', 'Größe', 'nobody', '8'],
      employee: null,
      rejected: expect.stringContaining('"nobody" is not an email address'),
    },
  ]);
  expect(await employeesOf(api, owner.orgId)).toEqual([]);
  expect((await owner.get<{ items: object[] }>('/api/v1/imports')).body.items).toEqual([]);
});

test('a guessed encoding is said to be one; the same choice imports what the preview showed', async () => {
  const file = encode('Name;E-mail;Team\r\nŁukasz Żółć;l@a.test;Księgowość\r\n', 'windows-1250');
  const guessed = (await preview(file)).body;
  expect(guessed).toMatchObject({ encoding: 'windows-1250', encodingKnownBy: 'guess', encodingSure: false });
  expect(guessed.rows[0]?.employee).toEqual({ name: 'Łukasz Żółć', email: 'l@a.test', team: 'Księgowość' });
  const other = (await preview(file, 'encoding=windows-1251')).body;
  expect(other).toMatchObject({ encoding: 'windows-1251', encodingKnownBy: 'choice', encodingSure: true });
  expect(other.rows[0]?.cells[0]).not.toBe('Łukasz Żółć');
  const refused = await importFile(owner, file);
  expect(refused.put.status).toBe(400);
  expect(refused.put.body.detail).toContain('it may be windows-1250');
  const { put } = await importFile(owner, file, 'text/csv', `encoding=${guessed.encoding}`);
  expect(put.body).toMatchObject({ status: 'done', rowsAdded: 1 });
  expect(put.body.reading).toEqual({
    encoding: 'windows-1250',
    encodingKnownBy: 'choice',
    delimiter: ';',
    headerLine: 1,
    columns: {
      name: [{ column: 1, title: 'Name' }],
      email: { column: 2, title: 'E-mail' },
      team: { column: 3, title: 'Team' },
    },
  });
});

test('the lines that make an encoding doubtful are shown as each encoding reads them, however far down they are', async () => {
  const lines = Array.from({ length: 300 }, (_, nth) => `Müller ${nth};m${nth}@a.test`);
  lines[200] = 'Łukasz Żółć;l@a.test';
  const file = `Name;E-mail\r\n${lines.join('\r\n')}\r\n`;
  const doubtful = async (choices: string) => {
    const { body } = await preview(encode(file, 'windows-1250'), choices);
    return body.doubtfulLines;
  };
  expect(await doubtful('')).toEqual([{ line: 202, text: expect.stringContaining('ukasz') }]);
  expect(await doubtful('encoding=windows-1250')).toEqual([{ line: 202, text: 'Łukasz Żółć;l@a.test' }]);
  expect(await doubtful('encoding=windows-1252')).toEqual([{ line: 202, text: '£ukasz ¯ó³æ;l@a.test' }]);
  expect((await preview(file)).body.doubtfulLines).toEqual([]);
});

test('a header that comes again is not a row, in the preview as in the import', async () => {
  const file = 'name,email,team\nAda,ada@a.test,T\n\uFEFFName,Email,Team\nBen,ben@a.test,T\n';
  const { body } = await preview(file);
  expect(body).toMatchObject({ rowsRead: 2, rowsRejected: 0 });
  expect(body.rows.map(({ line }) => line)).toEqual([2, 4]);
  expect((await importFile(owner, file)).put.body).toMatchObject({ rowsRead: 2, rowsRejected: 0 });
});

test('a column that the table does not have is a problem of the preview, which shows the table all the same', async () => {
  const { status, body } = await preview('name,email\nAda,ada@a.test\n', 'team=3');
  expect(status).toBe(200);
  expect(body).toMatchObject({ titles: ['name', 'email'], rowsRead: 1 });
  expect(body.problem).toBe('Column 3 was chosen, but the table has 2 columns.');
});

test('the same file in another encoding is read anew, also with the same Idempotency-Key', async () => {
  const ask = (type: string) =>
    owner.send<Preview>('POST', '/api/v1/imports/preview', 'name,email\nAda,ada@a.test\n', {
      'content-type': type,
      'idempotency-key': 'once',
    });
  for (const encoding of ['windows-1250', 'windows-1251', 'windows-1250']) {
    const { status, headers, body } = await ask(`text/csv; charset=${encoding}`);
    expect([status, body.encoding, headers.get('idempotent-replayed')]).toEqual([200, encoding, null]);
  }
});

describe('what is chosen is obeyed, in the preview and in the import:', () => {
  test.each([
    ['a delimiter', 'name,email|x\nAda,ada@a.test|y\n', 'delimiter=|&name=2&email=1', { delimiter: '|' }],
    ['the tab by its name', 'name\temail\nAda\tada@a.test\n', 'delimiter=tab', { delimiter: '\t' }],
    [
      'no header',
      'Ada,ada@a.test\n',
      'header=false&name=1',
      { headerLine: null, columns: { name: [1], email: 2, team: null } },
    ],
    [
      'a header of unknown titles',
      'who,where\nAda,ada@a.test\n',
      'name=1',
      { headerLine: 1, columns: { name: [1], email: 2, team: null } },
    ],
    [
      'two columns of a name',
      'a,b,email\nLove,Ada,ada@a.test\n',
      'name=2,1',
      { columns: { name: [2, 1], email: 3, team: null } },
    ],
    ['no team', 'name,email,team\nAda,ada@a.test,T\n', 'team=0', { columns: { name: [1], email: 2, team: null } }],
  ])('%s', async (_what, file, choices, shown) => {
    const { body } = await preview(file, choices);
    expect(body).toMatchObject(shown);
    const { put } = await importFile(owner, file, 'text/csv', choices);
    expect(put.status).toBe(200);
    expect(put.body.rowsRejected).toBe(body.rowsRejected);
    expect(await employeesOf(api, owner.orgId)).toEqual(
      body.rows.map(({ employee }) => employee).filter((employee) => employee !== null),
    );
  });
});

test('a problem with the columns is shown with the rows, so that the right ones can be chosen', async () => {
  const { body } = await preview('Personnel no.,Mail,Who\n1,ada@a.test,Ada\n');
  expect(body.problem).toContain('no column name');
  expect(body.rows).toEqual([{ line: 2, cells: ['1', 'ada@a.test', 'Ada'], employee: null, rejected: null }]);
});

test('the beginning of a large file is enough, and the row that it cuts off is left out', async () => {
  const file = Buffer.from(csvOf(20_000, (n) => `Person ${n} ${'x'.repeat(1_000)}`)).subarray(0, IMPORT_SNIFF_BYTES);
  const { status, body } = await preview(file);
  expect(status).toBe(200);
  expect(body.rowsRead).toBeGreaterThan(50);
  expect(body.rows).toHaveLength(10);
});

test.each<[string, string | Uint8Array, string, string, number]>([
  ['more than the beginning', 'x'.repeat(IMPORT_SNIFF_BYTES + 1), '', 'text/csv', 413],
  ['a picture', Buffer.from('89504e470d0a1a0a', 'hex'), '', 'text/csv', 415],
  ['another type', '{}', '', 'application/json', 415],
  ['nothing', '', '', 'text/csv', 400],
  ['an unknown encoding', 'name,email\n', 'encoding=klingon', 'text/csv', 415],
  ['two delimiters', 'name,email\n', 'delimiter=;;', 'text/csv', 400],
  ['column 0', 'name,email\n', 'email=0', 'text/csv', 400],
  ['an unknown choice', 'name,email\n', 'colour=red', 'text/csv', 400],
])('%s is refused in words', async (_what, file, choices, type, status) => {
  const answer = await preview(file, choices, type);
  expect(answer.status).toBe(status);
  expect(answer.body.detail.length).toBeGreaterThan(10);
});

test.each([
  [
    'a quote that is never closed',
    'name,email\nAda,ada@a.test\n"Ben,ben@a.test\n',
    'opens a quote that is never closed',
  ],
  [
    'a row that is too long',
    `name,email,notes\nAda,ada@a.test,\nBen,ben@a.test,${'x'.repeat(17_000)}\n`,
    'is longer than 16 kB',
  ],
])('%s is a problem of the preview as it is one of the import', async (_what, file, words) => {
  const { body } = await preview(file);
  expect(body).toMatchObject({ problem: expect.stringContaining(`The row after line 2 ${words}`), rowsRead: 1 });
  const { put } = await importFile(owner, file);
  expect(put.body.detail).toContain(`The row after line 2 ${words}`);
});

test('a quote that is open where the beginning of a file ends is not a problem', async () => {
  const file = Buffer.from(`${csvOf(5_000).slice(0, IMPORT_SNIFF_BYTES - 100)}\n"${'x'.repeat(100)}`);
  expect((await preview(file.subarray(0, IMPORT_SNIFF_BYTES))).body).toMatchObject({ problem: null });
});

test('a character that is cut off at the end of a small file costs its row, in the preview as in the import', async () => {
  const file = Buffer.concat([Buffer.from('name,email,team\nAda,ada@a.test,B'), Buffer.from([0xc3])]);
  const { body } = await preview(file);
  expect(body).toMatchObject({ rowsRead: 1, rowsRejected: 1 });
  const { put } = await importFile(owner, file);
  expect(put.body).toMatchObject({ rowsRead: 1, rowsRejected: 1 });
});

test('more than the beginning of a file is refused with the size that is wanted', async () => {
  const { status, body } = await preview('x'.repeat(IMPORT_SNIFF_BYTES + 1));
  expect(status).toBe(413);
  expect(body.detail).toBe(
    `The body is larger than ${IMPORT_SNIFF_BYTES / 1024} kB, which is the most that is read here.`,
  );
});
