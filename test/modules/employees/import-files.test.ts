import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningApi, runApi } from '../../running-api.ts';
import { employeesOf, importFile } from './import-api.ts';
import { importFiles } from './import-files.ts';

let api: RunningApi;
beforeAll(async () => {
  api = await runApi();
});
afterAll(() => api.stop());

test.each(
  Object.values(importFiles)
    .flat()
    .map((given) => [given.kind, given.becomes, given] as const),
)('%s: %s', async (_kind, _becomes, given) => {
  const owner = await api.newOwner();
  const { put, kept } = await importFile(owner, given.file, given.type, given.choices);
  expect((await peopleOf(owner.orgId)).toSorted()).toEqual((given.people ?? []).toSorted());
  if (given.refused === undefined) {
    expect(put).toMatchObject({ status: 200, body: { status: 'done', error: null } });
    expect(put.body.rejections).toEqual(given.rejected ?? []);
    expect(put.body.rowsRead).toBe(given.rows ?? (given.people?.length ?? 0) + (given.rejected?.length ?? 0));
  } else {
    expect(put.status).toBeOneOf([400, 415]);
    expect(put.body.detail).toContain(given.refused);
    expect(kept).toMatchObject({ status: 'failed', error: put.body.detail });
  }
});

test('the documentation has the same list', async () => {
  await expect(importFilesPage()).toMatchFileSnapshot('../../../docs/modules/employees/import-files.md');
});

test('600,000 rows of nothing but delimiters are not counted', async () => {
  const owner = await api.newOwner();
  const { put } = await importFile(owner, `name,email,team\nAda,ada@a.test,A\n${',,\n'.repeat(600_000)}`);
  expect(put.body).toMatchObject({ status: 'done', rowsRead: 1, rowsAdded: 1, rowsRejected: 0 });
});

test('one bad row costs only itself in the middle of a large file too', async () => {
  const owner = await api.newOwner();
  const good = Array.from({ length: 5_000 }, (_, n) => `Jürgen Größe ${n},j${n}@a.test,Büro\n`).join('');
  const file = [
    `name,email,team\n${good}`,
    Buffer.from('J\xf6rg,joerg@a.test,B\xfcro\n', 'latin1'),
    'Zoë,zoe@a.test,Büro\n',
  ];
  const { put } = await importFile(owner, Buffer.concat(file.map((part) => Buffer.from(part))));
  expect(put.body).toMatchObject({ status: 'done', rowsAdded: 5_001, rowsRejected: 1 });
  expect(put.body.rejections).toEqual([{ line: 5_002, reason: 'contains characters that are not valid UTF-8' }]);
});

async function peopleOf(orgId: number): Promise<string[]> {
  const people = await employeesOf(api, orgId);
  return people.map(({ name, email, team }) => `${name} | ${email} | ${team}`);
}

function importFilesPage(): string {
  const sections = Object.entries(importFiles).map(([heading, files]) => {
    const lines = files.map(({ kind, becomes, refused, rejected = [] }) => {
      const said =
        refused === undefined ? rejected.map(({ line, reason }) => `line ${line} ${reason}`) : [`“${refused}”`];
      return `| ${[kind, becomes, said.join('; ')].map(toCell).join(' | ')} |`;
    });
    return `## ${heading}\n\n| the file | becomes | it says |\n|---|---|---|\n${lines.join('\n')}\n`;
  });
  return `${INTRODUCTION}\n${sections.join('\n')}`;
}

function toCell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/[\u200b-\u200f]/g, '');
}

const INTRODUCTION = `<!-- Written by test/modules/employees/import-files.test.ts (-u), which imports each of these files. -->
# What becomes of a file

How a file is to be read is found out from its first 64 kB: the encoding, the delimiter, the header line, and which
columns are the name, the address and the team. What cannot be told for certain is refused, with the choices.
\`POST /api/v1/imports/preview\` shows all of it before anything is written, and takes the same choices
as \`PUT /api/v1/imports/{id}/file\`: \`encoding\`, \`delimiter\`, \`header\`, \`name\`, \`email\` and \`team\` in the query. The
finished import says in its \`reading\` how the file was read.

![The preview of a file in an old code page: the encoding is a guess, and each column can be given another meaning](import-preview.png)

- **Encoding**: what is chosen; else a byte order mark; else the charset of the Content-Type; else UTF-16 or UTF-8 where
  the bytes prove it. A file that is mostly UTF-8 stays UTF-8, and its other rows are rejected one by one. Anything else is
  an old code page. A file of nothing but Western European words is read as windows-1252; any other needs a confirmation,
  for which jschardet orders the choices and the refusal quotes the first line in doubt. A row behind the first 64 kB that
  does not look like windows-1252 is rejected, with the advice to choose.
- **Columns**: by their titles in some thirty languages and by what is in them. Where two columns claim one field, the more
  exact title wins; if neither is, the file is refused and both are named. A first and a last name become one name, and so
  does “Lovelace, Ada”, if most names are written like that.
- **Rows**: a row that cannot be read costs only itself, and is named by its line. So is a person above the header; notes may
  stand there. Rows of nothing but delimiters, row numbers and tick boxes are blank lines; a header that is repeated is
  skipped. What a program wrote instead of a text (an error, a code, a question mark for a letter) is not taken for one.
- **Text** is composed (NFC), spaces of all kinds become one space, and invisible characters are removed; in an address they
  are refused. PostgreSQL compares addresses and teams without regard to case. An apostrophe that our own export put
  before a formula sign is taken away again.
`;
