import { sql } from 'kysely';
import { Type } from 'typebox';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Module } from '../../../src/modules/faces.ts';
import { PLATFORM } from '../../../src/modules.ts';
import type { ApiClient } from '../../api-client.ts';
import { asAdmin, until } from '../../database.ts';
import { TEST_MODULES } from '../../modules.ts';
import { type RunningApi, runApi } from '../../running-api.ts';

const LOCK = 4_711;

/** A module that only this test has, so that its figures are known. */
const COUNTED: Module = {
  name: 'counted',
  figures: async () => ({
    figures: {
      // Waits for the lock, so that a test can hold a statement back.
      afterTheLock: {
        schema: Type.Integer(),
        select: () => sql`select length(pg_advisory_xact_lock_shared(${LOCK}::bigint)::text)`,
      },
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
  const { status, body } = await owner.get<object>('/api/v1/summary');
  expect(status).toBe(200);
  expect(Object.keys(body).toSorted()).toEqual(names.toSorted());
});

test('figures are those of the own organisation, and may be empty', async () => {
  const [ours, theirs] = [await api.newOwner(), await api.newOwner()];
  await ours.send('POST', '/api/v1/notes', { title: 'First' });
  await ours.send('POST', '/api/v1/notes', { title: 'Second' });
  expect((await ours.get('/api/v1/summary')).body).toMatchObject({ ownNotes: 2, latestNote: { title: 'Second' } });
  await theirs.send('POST', '/api/v1/notes', { title: 'Theirs' });
  expect((await theirs.get('/api/v1/summary')).body).toMatchObject({ ownNotes: 1, latestNote: { title: 'Theirs' } });
  expect((await owner.get('/api/v1/summary')).body).toMatchObject({ ownNotes: 0, latestNote: null });
});

test('all figures are read with one statement, which callers at the same time share', async () => {
  const { url, replicaUrl } = api.database;
  const together = 50;
  await owner.get('/api/v1/summary'); // its session is cached from here on
  const before = await reads();
  const asking = await asAdmin(
    (replica) =>
      asAdmin(async (primary) => {
        for (const server of [primary, replica]) await server.query('select pg_advisory_lock($1)', [LOCK]);
        const answers = Array.from({ length: together }, () => owner.get('/api/v1/summary'));
        await until('all requests wait', () => api.gauge('requests_in_flight') === together);
        return answers;
      }, url),
    replicaUrl,
  );
  const answers = await Promise.all(asking);
  expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1);
  expect((await reads()) - before).toBe(1);
});

test('without a module that has figures the summary is empty', async () => {
  const bare = await runApi({}, PLATFORM);
  onTestFinished(() => bare.stop());
  expect(await (await bare.newOwner()).get('/api/v1/summary')).toMatchObject({ status: 200, body: {} });
});

async function reads(): Promise<number> {
  const text = await (await fetch(`${api.url}/metrics`)).text();
  return [...text.matchAll(/^tardigrade_reads_(?:primary|replica)_total\{[^}]*\} (\d+)/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}
