import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../api-client.ts';
import { registerOrganisation } from '../registration.ts';
import { type RunningApi, runApi } from '../running-api.ts';

let api: RunningApi;
beforeAll(async () => {
  api = await runApi();
});
afterAll(() => api.stop());

test('text comes in composed, in one line where it is a name, and without what nobody can see', async () => {
  const { status, body } = await registerOrganisation(api, {
    organisation: '\u00a0Bu\u0308ro\tSu\u0308d\u200b',
    name: '\u202eZoe\u0308\u202c\n Quill\u0007',
  });
  expect(status).toBe(201);
  expect(body.organisation.name).toBe('Büro Süd');
  expect(body.user.name).toBe('Zoë Quill');
});

test('a name of nothing that can be seen is refused', async () => {
  expect((await registerOrganisation(api, { organisation: '\u200b\u3164\u2060' })).status).toBe(400);
  expect((await registerOrganisation(api, { name: '\u00a0\u00ad' })).status).toBe(400);
});

test('a password is the same, however its letters were composed', async () => {
  const email = 'zoe@text.test';
  expect((await registerOrganisation(api, { email, password: 'Zoë Größe Übermut' })).status).toBe(201);
  const password = 'Zoë Größe Übermut'.normalize('NFD');
  expect((await call(api.url, 'POST', '/api/v1/sessions', { body: { email, password }, headers: {} })).status).toBe(
    201,
  );
});

test('a body that is nested without end is refused, not walked to its end', async () => {
  const owner = await api.newOwner();
  const body = `${'['.repeat(60_000)}"e\u0301"${']'.repeat(60_000)}`;
  expect((await owner.send('POST', '/api/v1/notes', body, { 'content-type': 'application/json' })).status).toBe(400);
});

test.each(['J%FCrgen', '%zz', '100%', '%ed%a0%80'])(
  'a query that is not UTF-8 is refused, not read as another text: %s',
  async (text) => {
    const owner = await api.newOwner();
    const refused = await owner.get(`/api/v1/notes?limit=1&cursor=${text}`);
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid', detail: expect.stringContaining('%25') } });
    expect((await owner.get('/api/v1/notes?limit=%31')).status).toBe(200);
    const understood = await owner.get<{ detail: string }>('/api/v1/notes?cursor=J%C3%BCrgen+100%25?');
    expect(understood.body.detail).not.toContain('%25');
  },
);
