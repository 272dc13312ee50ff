import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NAME_CHARS_MAX } from '../../../src/limits.ts';
import {
  IMPORT_BYTES_MAX,
  IMPORT_LINE_BYTES_MAX,
  IMPORT_REJECTIONS_KEPT,
} from '../../../src/modules/employees/limits.ts';
import { type RunningApi, runApi } from '../../running-api.ts';
import { csvOf, employeesOf, importFile } from './import-api.ts';

let api: RunningApi;
beforeAll(async () => {
  api = await runApi();
});
afterAll(() => api.stop());

const ADA = { name: 'Ada Löwe', email: 'ada@a.test', team: 'Sales' };
const BEN = { name: 'Ben Größe', email: 'ben@a.test', team: 'Design' };
const FILE = 'name,email,team\nAda Löwe,ada@a.test,Sales\nBen Größe,ben@a.test,Design\n';

describe('a spreadsheet saves the same table in many ways:', () => {
  test.each<[string, string | Uint8Array]>([
    ['plain UTF-8', FILE],
    ['without a line break at the end', FILE.trimEnd()],
    ['with a byte order mark', `\uFEFF${FILE}`],
    ['with CRLF', FILE.replaceAll('\n', '\r\n')],
    ['with empty lines', `\n${FILE.replaceAll('\n', '\n\n')}`],
    ['with semicolons', FILE.replaceAll(',', ';')],
    ['with tabs', FILE.replaceAll(',', '\t')],
    ['with quotes around everything', FILE.replace(/[^,\n]+/g, '"$&"')],
    ['with spaces around everything', FILE.replace(/[^,\n]+/g, '  $&  ')],
    ['as UTF-16', Buffer.from(`\uFEFF${FILE}`, 'utf16le')],
    [
      'as UTF-16 with tabs and CRLF',
      Buffer.from(`\uFEFF${FILE.replaceAll(',', '\t').replaceAll('\n', '\r\n')}`, 'utf16le'),
    ],
    ['in the Windows code page', Buffer.from(FILE.replaceAll(',', ';'), 'latin1')],
    ['with other words in the header', FILE.replace('name,email,team', 'Full Name,E-Mail,Department')],
    ['with capitals and underscores', FILE.replace('name,email,team', 'EMPLOYEE_NAME,Email Address,GROUP')],
    [
      'with columns that nobody reads',
      'id,team,email,phone,name\n7,Sales,ada@a.test,1,Ada Löwe\n8,Design,ben@a.test,2,Ben Größe',
    ],
    ['with addresses in capitals', FILE.replace('ada@a.test', 'ADA@A.test')],
  ])('%s', async (_how, file) => {
    const owner = await api.newOwner();
    const { put } = await importFile(owner, file);
    expect(put).toMatchObject({ status: 200, body: { status: 'done', rowsRead: 2, rowsAdded: 2, rowsRejected: 0 } });
    expect(await employeesOf(api, owner.orgId)).toEqual([ADA, BEN]);
  });
});

test('quoted fields may hold delimiters, quotes and line breaks', async () => {
  const owner = await api.newOwner();
  const { put } = await importFile(
    owner,
    'name,email,team\n"Löwe, Ada ""the first""",ada@a.test,"Sales\nand Service"\nBen,ben@a.test,\n',
  );
  expect(put.body).toMatchObject({ rowsAdded: 2, rowsRejected: 0 });
  expect(await employeesOf(api, owner.orgId)).toEqual([
    { name: 'Löwe, Ada "the first"', email: 'ada@a.test', team: 'Sales and Service' },
    { name: 'Ben', email: 'ben@a.test', team: 'General' },
  ]);
});

test('a file without teams puts everybody into one', async () => {
  const owner = await api.newOwner();
  await importFile(owner, 'name,email\nAda,ada@a.test\n');
  expect(await employeesOf(api, owner.orgId)).toEqual([{ name: 'Ada', email: 'ada@a.test', team: 'General' }]);
});

test('bad rows are named by line and reason, and good ones are kept', async () => {
  const owner = await api.newOwner();
  const { put } = await importFile(
    owner,
    [
      'name,email,team',
      'Ada,ada@a.test,Sales', // 2
      ',nobody@a.test,Sales', // 3
      'Cleo,,Sales', // 4
      'Dan,not an address,Sales', // 5
      `${'E'.repeat(NAME_CHARS_MAX + 1)},eve@a.test,Sales`, // 6
      `Fay,fay@a.test,${'T'.repeat(NAME_CHARS_MAX + 1)}`, // 7
      'Gus', // 8
      'Zoe,zoe@a.test,Sales,and,more,columns', // 9
    ].join('\n'),
  );
  expect(put.body).toMatchObject({ status: 'done', rowsRead: 8, rowsAdded: 1, rowsRejected: 7 });
  expect(put.body.rejections).toEqual([
    { line: 3, reason: 'has no name' },
    { line: 4, reason: 'has no email address' },
    { line: 5, reason: '"not an address" is not an email address: it contains a space' },
    { line: 6, reason: 'the name is longer than 120 characters' },
    { line: 7, reason: 'the team is longer than 120 characters' },
    { line: 8, reason: 'has no email address' },
    { line: 9, reason: 'has more cells than the header line: a text with "," in it must be in quotes' },
  ]);
  expect((await employeesOf(api, owner.orgId)).map(({ name }) => name)).toEqual(['Ada']);
});

test('a row whose address is a list, a group or anything but one mailbox is rejected with its line', async () => {
  const owner = await api.newOwner();
  const { put } = await importFile(
    owner,
    [
      'name,email,team',
      'Ben Boss,ben@corp.test,Board', // 2
      'Ada Comma,"ada,ben@corp.test",Engines', // 3
      'Cleo Trailing,"cleo@corp.test,",Engines', // 4
      'Dan Semicolon,dan@corp.test;,Engines', // 5
      'Eve Mailto,mailto:eve@corp.test,Engines', // 6
      'Fay Group,team:fay@corp.test;,Engines', // 7
      'Gus Comment,gus(work)@corp.test,Engines', // 8
      'Hal Invisible,hal@corp.test\u200b,Engines', // 9
      'Ida Umlaut,idä@corp.test,Engines', // 10: such a mail server may be able to take it
      'Jo Domain,jo@münchen.test,Engines', // 11
    ].join('\n'),
  );
  expect(put.body).toMatchObject({ status: 'done', rowsRead: 10, rowsAdded: 3, rowsRejected: 7 });
  expect((put.body.rejections as { line: number }[]).map(({ line }) => line)).toEqual([3, 4, 5, 6, 7, 8, 9]);
  expect((await employeesOf(api, owner.orgId)).map(({ email }) => email)).toEqual([
    'ben@corp.test',
    'idä@corp.test',
    'jo@xn--mnchen-3ya.test',
  ]);
});

test('quotes inside a field are kept as they stand, and cost no other row', async () => {
  const owner = await api.newOwner();
  const { put } = await importFile(
    owner,
    'name,email,team\nAda,ada@a.test,Sales\nB"en,ben@a.test,Sales\n"Cleo"x,cleo@a.test,S\nZoe,zoe@a.test,Sales\n',
  );
  expect(put.body).toMatchObject({ status: 'done', rowsAdded: 4, rowsRejected: 0 });
  const names = (await employeesOf(api, owner.orgId)).map(({ name }) => name);
  expect(names).toEqual(['Ada', 'B"en', '"Cleo"x', 'Zoe']);
});

test('a quote that is never closed is reported, and what came before is kept', async () => {
  const owner = await api.newOwner();
  const { put, kept } = await importFile(
    owner,
    'name,email,team\nAda,ada@a.test,Sales\n"Ben,ben@a.test,Sales\nZoe,zoe@a.test,Sales\n',
  );
  expect(put).toMatchObject({ status: 400, body: { code: 'invalid' } });
  expect(put.body.detail).toContain('The row after line 2 opens a quote that is never closed');
  expect(kept).toMatchObject({ status: 'failed', error: put.body.detail, rowsAdded: 1 });
});

test('a row beyond the limit ends the import in words instead of silently, and what came before is kept', async () => {
  const owner = await api.newOwner();
  const long = 'x'.repeat(IMPORT_LINE_BYTES_MAX * 3);
  const rows = 'Zoe,zoe@a.test,Sales\n'.repeat(50_000);
  const file = `name,email,team\nAda,ada@a.test,Sales\n${long},long@a.test,Sales\n${rows}`;
  const { put, kept } = await importFile(owner, file);
  expect(put).toMatchObject({ status: 400, body: { code: 'invalid' } });
  expect(put.body.detail).toContain('The row after line 2 is longer than 16 kB');
  expect(kept).toMatchObject({ status: 'failed', error: put.body.detail, rowsAdded: 1 });
  expect((await employeesOf(api, owner.orgId)).map(({ name }) => name)).toEqual(['Ada']);
});

test('characters that nobody can store or read cost their row, wherever in the file they stand', async () => {
  const owner = await api.newOwner();
  const long = 'x'.repeat(58);
  const { put } = await importFile(
    owner,
    Buffer.concat([
      Buffer.from(`${csvOf(8_000)}N\0ul,nul@a.test,Sales\nBad,${long}\u{1f43b} a,Sales\n`),
      Buffer.from('Gr\xf6\xdfe,latin@a.test,Sales\nZoe,zoe@a.test,Sales\n', 'latin1'),
    ]),
  );
  expect(put).toMatchObject({
    status: 200,
    body: { status: 'done', rowsRead: 8_004, rowsAdded: 8_001, rowsRejected: 3 },
  });
  expect(put.body.rejections).toEqual([
    { line: 8_002, reason: 'contains a NUL character' },
    { line: 8_003, reason: expect.stringContaining('is not an email address') },
    { line: 8_004, reason: 'contains characters that are not valid UTF-8' },
  ]);
});

test('of many rejections the first are reported and all are counted', async () => {
  const owner = await api.newOwner();
  const { put } = await importFile(owner, `name,email\n${'x,y\n'.repeat(IMPORT_REJECTIONS_KEPT * 4)}`);
  expect(put.body).toMatchObject({ status: 'done', rowsRejected: IMPORT_REJECTIONS_KEPT * 4 });
  expect(put.body.rejections).toHaveLength(IMPORT_REJECTIONS_KEPT);
  expect(put.body.rejections.at(-1)?.line).toBe(IMPORT_REJECTIONS_KEPT + 1);
});

describe('a file that is no CSV is refused in words, and nothing is imported:', () => {
  const big = (head: string) =>
    Buffer.concat([Buffer.from(head, 'latin1'), Buffer.alloc(4 * 1024 * 1024, 'name,email\n')]);
  test.each<[string, Uint8Array, string]>([
    ['a picture', big('\x89PNG\r\n\x1a\n'), 'a PNG picture'],
    ['an Excel workbook', big('PK\x03\x04'), 'an Excel workbook'],
    ['a PDF', Buffer.from('%PDF-1.7 name,email'), 'a PDF document'],
    ['anything with NUL bytes', Buffer.from('name,email\nAda\0,ada@a.test\n'), 'a binary file'],
  ])('%s', async (_what, file, words) => {
    const owner = await api.newOwner();
    const { put, kept } = await importFile(owner, file);
    expect(put).toMatchObject({ status: 415, body: { code: 'unsupported' } });
    expect(put.body.detail).toContain(words);
    expect(put.body.detail).toContain('Nothing was imported');
    expect(kept).toMatchObject({ status: 'failed', error: put.body.detail, rowsRead: 0 });
    expect(await employeesOf(api, owner.orgId)).toEqual([]);
  });

  test.each(['application/json', 'image/png', 'multipart/form-data; boundary=x', ''])(
    'by its type: "%s"; the import still waits for its file',
    async (type) => {
      const owner = await api.newOwner();
      const file = type === '' ? Buffer.from('{}') : '{}';
      const { put, kept } = await importFile(owner, file, type);
      expect(put).toMatchObject({ status: 415, body: { code: 'unsupported' } });
      expect(put.body.detail).not.toContain('undefined');
      expect(kept).toMatchObject({ status: 'waiting' });
    },
  );
});

test('an empty file is refused, with what it should have had', async () => {
  const owner = await api.newOwner();
  for (const file of ['', '\n\n', '\uFEFF']) {
    const { put, kept } = await importFile(owner, Buffer.from(file));
    expect(put.status).toBe(400);
    expect(put.body.detail).toBe('The file is empty. It needs a header line: name, email, team.');
    expect(kept.status).toBe('failed');
  }
});

test('a header that lacks a column is refused by its name, however large the file behind it is', async () => {
  const owner = await api.newOwner();
  const rows = 'Ada,Sales\n'.repeat(500_000);
  const { put, kept } = await importFile(owner, `name,team\n${rows}`);
  expect(put.status).toBe(400);
  expect(put.body.detail).toContain('no column email');
  expect(put.body.detail).toContain('Found: name, team');
  expect(kept).toMatchObject({ status: 'failed', rowsRead: 0 });
});

test('a file beyond the limit is refused in words, and what came before is kept', async () => {
  const owner = await api.newOwner();
  const file = Buffer.concat([
    Buffer.from('\uFEFFname,email,team\nAda,ada@a.test,Sales\n', 'utf16le'),
    Buffer.alloc(IMPORT_BYTES_MAX * 1.1, '\n', 'utf16le'),
  ]);
  const { put, kept } = await importFile(owner, file);
  expect(put).toMatchObject({ status: 413, body: { code: 'too_large' } });
  expect(put.body.detail).toContain('larger than 64 MB');
  expect(kept.status).toBe('failed');
  expect(await employeesOf(api, owner.orgId)).toEqual([{ name: 'Ada', email: 'ada@a.test', team: 'Sales' }]);
});
