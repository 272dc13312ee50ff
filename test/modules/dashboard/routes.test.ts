import { sql } from 'kysely';
import { Type } from 'typebox';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Module } from '../../../src/modules/faces.ts';
import { PLATFORM } from '../../../src/modules.ts';
import type { ApiClient } from '../../api-client.ts';
import { TEST_MODULES } from '../../modules.ts';
import { type RunningApi, runApi } from '../../running-api.ts';

/** A module that only this test has, so that its figures are known. */
const COUNTED: Module = {
  name: 'counted',
  figures: async () => ({
    figures: {
      ownNotes: {
        schema: Type.Integer(),
        select: (orgId) => sql`select count(*)::int from notes where org_id = ${orgId}`,
      },
      latestNote: {
        schema: Type.Union([Type.Object({ title: Type.String() }), Type.Null()]),
        select: (orgId) => sql`
          select jsonb_build_object('title', title) from notes where org_id = ${orgId} order by id desc limit 1`,
      },
    },
  }),
};

let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi({}, [...TEST_MODULES, COUNTED]);
  owner = await api.newOwner();
});
afterAll(() => api.stop());

test('the summary has every figure of every module, and nothing else', async () => {
  const faces = await Promise.all([...TEST_MODULES, COUNTED].flatMap(({ figures }) => figures?.() ?? []));
  const names = faces.flatMap(({ figures }) => Object.keys(figures));
  expect(names).toContain('ownNotes');
  const { status, body } = await owner.get<object>('/api/summary');
  expect(status).toBe(200);
  expect(Object.keys(body).toSorted()).toEqual(names.toSorted());
});

test('figures are those of the own organisation, and may be empty', async () => {
  const [ours, theirs] = [await api.newOwner(), await api.newOwner()];
  await ours.send('POST', '/api/notes', { title: 'First' });
  await ours.send('POST', '/api/notes', { title: 'Second' });
  expect((await ours.get('/api/summary')).body).toMatchObject({ ownNotes: 2, latestNote: { title: 'Second' } });
  await theirs.send('POST', '/api/notes', { title: 'Theirs' });
  expect((await theirs.get('/api/summary')).body).toMatchObject({ ownNotes: 1, latestNote: { title: 'Theirs' } });
  expect((await owner.get('/api/summary')).body).toMatchObject({ ownNotes: 0, latestNote: null });
});

test('all figures are read with one statement, which callers at the same time share', async () => {
  await owner.get('/api/summary'); // the session is known from here on
  const before = await reads();
  const answers = await Promise.all(Array.from({ length: 50 }, () => owner.get('/api/summary')));
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  const asked = (await reads()) - before;
  expect(asked).toBeGreaterThanOrEqual(1);
  expect(asked).toBeLessThanOrEqual(10); // requests may arrive in a few waves
});

test('without a module that has figures the summary is empty', async () => {
  const bare = await runApi({}, PLATFORM);
  onTestFinished(() => bare.stop());
  expect(await (await bare.newOwner()).get('/api/summary')).toMatchObject({ status: 200, body: {} });
});

async function reads(): Promise<number> {
  const text = await (await fetch(`${api.url}/metrics`)).text();
  return [...text.matchAll(/^tardigrade_reads_(?:primary|replica)_total\{[^}]*\} (\d+)/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}
