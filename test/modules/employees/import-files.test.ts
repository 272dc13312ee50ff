import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningApi, runApi } from '../../running-api.ts';
import { employeesOf, importFile } from './import-api.ts';
import { importFiles } from './import-files.ts';

let api: RunningApi;
beforeAll(async () => {
  api = await runApi();
});
afterAll(() => api.stop());

test.each(importFiles.map((given) => [given.kind, given.becomes, given] as const))(
  '%s: %s',
  async (_kind, _becomes, given) => {
    const owner = await api.newOwner();
    const { put, kept } = await importFile(owner, given.file, given.type, given.choices);
    expect(await peopleOf(owner.orgId)).toEqual(given.people ?? []);
    if (given.refused === undefined) {
      expect(put).toMatchObject({ status: 200, body: { status: 'done', error: null } });
      expect(put.body.rejections).toEqual(given.rejected ?? []);
      expect(put.body.rowsRead).toBe(given.rows ?? (given.people?.length ?? 0) + (given.rejected?.length ?? 0));
    } else {
      expect(put.status).toBeOneOf([400, 415]);
      expect(put.body.detail).toContain(given.refused);
      expect(kept).toMatchObject({ status: 'failed', error: put.body.detail });
    }
  },
);

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
