import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { etagOf } from '../../../src/http/optimistic-concurrency.ts';
import type { ApiClient } from '../../api-client.ts';
import { until } from '../../database.ts';
import { type RunningApi, runApi } from '../../running-api.ts';

interface Campaign {
  readonly id: number;
  readonly name: string;
  readonly status: string;
  readonly questions: { text: string; answer: string }[];
  readonly launchAt: string | null;
  readonly cron: string | null;
  readonly timeZone: string;
  readonly version: number;
  readonly launchedAt: string | null;
  readonly progress: Record<string, number>;
}
type Mail = { subject: string; html: string; text: string; recipients?: number };
type Problem = { detail: string; code: string };

const DRAFT = { name: 'Weekly', subject: 'Hello {{name}}', body: 'How are you at {{organisation}}?' };

let api: RunningApi;
let owner: ApiClient;
beforeAll(async () => {
  api = await runApi();
  owner = await api.newOwner();
});
afterAll(() => api.stop());

const post = <T = Campaign>(path: string, body?: unknown) => owner.send<T>('POST', `/api/v1/campaigns${path}`, body);
const draft = async (more: object = {}) => (await post('', { ...DRAFT, ...more })).body;
const change = <T = Campaign>(id: number, version: number, body: object) =>
  owner.send<T>('PATCH', `/api/v1/campaigns/${id}`, body, { 'if-match': etagOf(version) });
const reread = async (id: number) => (await owner.get<Campaign>(`/api/v1/campaigns/${id}`)).body;

test('a campaign begins as a draft, with questions to start from and nothing sent', async () => {
  const { status, body } = await post('', DRAFT);
  expect(status).toBe(201);
  expect(body).toMatchObject({ ...DRAFT, status: 'draft', launchedAt: null, launchAt: null, timeZone: 'UTC' });
  const defaults = await owner.get<{ questions: Campaign['questions'] }>('/api/v1/campaigns/defaults');
  expect(body.questions).toEqual(defaults.body.questions);
  const { perSecond, secondsLeft, ...counts } = body.progress;
  expect(Object.values(counts)).toEqual(Array(10).fill(0));
  expect([perSecond, secondsLeft]).toEqual([null, null]);
  expect(await reread(body.id)).toEqual(body);
});

test('a draft is changed field by field', async () => {
  const { id } = await draft();
  const changed = await change(id, 1, {
    subject: 'New',
    questions: ['Well?', { text: 'How well?', answer: 'scale' }],
  });
  const questions = [
    { text: 'Well?', answer: 'text' },
    { text: 'How well?', answer: 'scale' },
  ];
  expect(changed).toMatchObject({ status: 200, body: { ...DRAFT, subject: 'New', questions } });
  expect(await reread(id)).toEqual(changed.body);
});

test('of two people who edit one draft the second one is told, and overwrites nothing', async () => {
  const { id } = await draft();
  const first = await change(id, 1, { subject: 'The first' });
  expect([first.status, first.headers.get('etag')]).toEqual([200, '"2"']);
  const second = await change<Problem>(id, 1, { subject: 'The second' });
  expect(second).toMatchObject({ status: 412, body: { code: 'changed_meanwhile' } });
  expect(await reread(id)).toMatchObject({ subject: 'The first', version: 2 });
  const blind = await owner.send('PATCH', `/api/v1/campaigns/${id}`, { subject: 'Blind' });
  expect(blind).toMatchObject({ status: 428, body: { code: 'precondition_required' } });
});

test.each([
  ['launch', {}],
  ['schedule', { cron: '0 9 * * 1' }],
])('who has seen another draft cannot %s this one', async (verb, body) => {
  const { id } = await draft();
  await change(id, 1, { subject: 'Something else' });
  const act = (version: number) =>
    owner.send<Campaign>('POST', `/api/v1/campaigns/${id}/${verb}`, verb === 'launch' ? undefined : body, {
      'if-match': etagOf(version),
    });
  expect(await act(1)).toMatchObject({ status: 412, body: { code: 'changed_meanwhile' } });
  expect(await reread(id)).toMatchObject({ status: 'draft', version: 2 });
  expect((await act(2)).status).toBeLessThan(300);
});

test('of people who do different things with one draft at once one wins, and the others are told', async () => {
  const { id } = await draft();
  const seen = { 'if-match': '"1"' };
  const answers = await Promise.all([
    owner.send('POST', `/api/v1/campaigns/${id}/schedule`, { cron: '0 9 * * 1' }, seen),
    owner.send('PATCH', `/api/v1/campaigns/${id}`, { subject: 'Another' }, seen),
    owner.send('POST', `/api/v1/campaigns/${id}/schedule`, { cron: '0 10 * * 1' }, seen),
  ]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412]);
  expect(await reread(id)).toMatchObject({ version: 2 });
});

test('a second click on the same version is told what the first one was', async () => {
  const { id } = await draft();
  const launch = () => owner.send('POST', `/api/v1/campaigns/${id}/launch`, undefined, { 'if-match': '"1"' });
  expect([(await launch()).status, (await launch()).status]).toEqual([202, 202]);
});

test.each([
  ['no text', { text: ' ', answer: 'text' }],
  ['no way to answer', { text: 'How?' }],
  ['an unknown way to answer', { text: 'How?', answer: 'stars' }],
  ['a field that nobody reads', { text: 'How?', answer: 'scale', max: 7 }],
])('a question with %s is refused', async (_, question) => {
  expect((await post('', { ...DRAFT, questions: [question] })).status).toBe(400);
});

test('campaigns come newest first, page by page', async () => {
  const other = await api.newOwner();
  for (const name of ['one', 'two', 'three']) await other.send('POST', '/api/v1/campaigns', { ...DRAFT, name });
  type Page = { items: Campaign[]; nextCursor: string | null };
  const first = (await other.get<Page>('/api/v1/campaigns?limit=2')).body;
  expect(first.items.map(({ name }) => name)).toEqual(['three', 'two']);
  const second = (await other.get<Page>(`/api/v1/campaigns?limit=2&cursor=${first.nextCursor}`)).body;
  expect(second).toMatchObject({ items: [{ name: 'one' }], nextCursor: null });
});

test('an unknown placeholder is refused wherever a text is written, with the field; what is stored already is sent', async () => {
  const wrong = { subject: 'Hello {{frist_name}}', body: 'Hello {{ name }}' };
  const { id } = await draft();
  const refused = {
    status: 400,
    body: {
      code: 'invalid',
      detail: '{{frist_name}} is not a placeholder: only {{name}} and {{organisation}} are filled in.',
      errors: [{ path: 'body/subject', message: expect.stringContaining('{{frist_name}}') }],
    },
  };
  expect(await post('', { ...DRAFT, ...wrong })).toMatchObject(refused);
  expect(await change(id, 1, wrong)).toMatchObject(refused);
  expect(await post('/preview', wrong)).toMatchObject(refused);
  expect(await reread(id)).toMatchObject({ subject: DRAFT.subject, version: 1 });

  await api.database.db.updateTable('campaigns').set(wrong).where('id', '=', id).execute();
  expect(await post(`/${id}/test`)).toMatchObject(refused);
  const subject = async () => (await owner.get<Mail>(`/api/v1/campaigns/${id}/preview`)).body.subject;
  await until('the replica has it', async () => (await subject()) === wrong.subject);
  expect((await change(id, 1, { name: 'Renamed' })).status).toBe(200);
  expect((await post(`/${id}/launch`)).status).toBe(202);
});

describe('a preview', () => {
  test('escapes everything that people wrote, and fills in both words', async () => {
    const evil = `<img src=x onerror="alert('1')">`;
    await api.database.db.updateTable('users').set({ name: evil }).where('org_id', '=', owner.orgId).execute();
    const { body } = await post<Mail>('/preview', {
      subject: 'For {{name}}',
      body: `Dear {{ name }} of {{organisation}},\n\n<script>alert(2)</script> & "more"\nline two`,
    });
    expect(body.html).not.toMatch(/<img|<script|onerror="/);
    expect(body.html).toContain('&#60;script&#62;alert(2)&#60;/script&#62; &#38; &#34;more&#34;<br>line two');
    expect(body.text).toContain(`Dear ${evil} of Acme,`);
    expect(body.subject).toBe(`For ${evil}`);
  });

  test('of a campaign says how many people it would go to: those who did not say no', async () => {
    const { id: teamId } = await api.database.db
      .insertInto('teams')
      .values({ org_id: owner.orgId, name: 'Sales' })
      .returning('id')
      .executeTakeFirstOrThrow();
    const person = (n: number) => ({
      org_id: owner.orgId,
      team_id: teamId,
      name: `P${n}`,
      email: `p${n}@a.test`,
      unsubscribed_at: n === 0 ? new Date() : null,
    });
    await api.database.db.insertInto('employees').values([0, 1, 2, 3].map(person)).execute();
    const { id } = await draft();
    const { body } = await owner.get<Mail>(`/api/v1/campaigns/${id}/preview`);
    expect(body).toMatchObject({ recipients: 3, text: expect.stringContaining('How are you at Acme?') });
  });

  test.each(['Hello\r\nBcc: all@a.test', 'Hello\nBcc: all@a.test', '\r', '   '])(
    'a subject cannot bring a header of its own: %j',
    async (subject) => {
      expect((await post('/preview', { subject, body: 'x' })).status).toBe(400);
      expect((await post('', { ...DRAFT, subject })).status).toBe(400);
    },
  );

  test('a name cannot bring a header of its own either', async () => {
    const name = 'Ada\r\nBcc: all@a.test';
    await api.database.db.updateTable('users').set({ name }).where('org_id', '=', owner.orgId).execute();
    const { body } = await post<Mail>('/preview', { subject: 'For {{name}}', body: 'x' });
    expect(body.subject).toBe('For Ada Bcc: all@a.test');
  });
});

describe('a launch', () => {
  test('writes the state and the word to the queue', async () => {
    const { id } = await draft();
    const { status, body } = await post(`/${id}/launch`);
    expect(status).toBe(202);
    expect(body).toMatchObject({ id, status: 'sending', launchedAt: expect.any(String) });
    expect(await outboxOf(id)).toEqual([{ org_id: owner.orgId, topic: 'campaign.launched' }]);
  });

  test('changes neither when the word to the queue cannot be written', async () => {
    const { id } = await draft();
    await api.database.db.schema.alterTable('outbox').renameTo('outbox_gone').execute();
    const answer = await post(`/${id}/launch`);
    await api.database.db.schema.alterTable('outbox_gone').renameTo('outbox').execute();
    expect(answer.status).toBe(500);
    expect(await reread(id)).toMatchObject({ status: 'draft', launchedAt: null });
  });

  test('twice, also at once, is told the same and sent once', async () => {
    const { id } = await draft();
    const answers = await Promise.all([1, 2, 3, 4].map(() => post(`/${id}/launch`)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(await outboxOf(id)).toHaveLength(1);
  });

  test('closes the text: what people were sent stays what the campaign says', async () => {
    const { id } = await draft();
    await post(`/${id}/launch`);
    const answer = await change<Problem>(id, 2, { subject: 'Other' });
    expect(answer.status).toBe(409);
    expect(answer.body.detail).toBe('The campaign is sending and cannot be changed.');
    expect(await reread(id)).toMatchObject(DRAFT);
  });
});

describe('a schedule', () => {
  const schedule = <T = Campaign>(id: number, body: object) => post<T>(`/${id}/schedule`, body);

  test('for a time sends once then', async () => {
    const { id } = await draft();
    const at = new Date(Date.now() + 3_600_000).toISOString();
    const { status, body } = await schedule(id, { at });
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'scheduled', cron: null });
    // PostgreSQL writes an instant without the zeros at its end.
    expect(new Date(body.launchAt as string).toISOString()).toBe(at);
  });

  test('by cron counts in its time zone', async () => {
    const { id } = await draft();
    const { body } = await schedule(id, { cron: '30 9 * * 1', timeZone: 'Asia/Tokyo' });
    expect(body).toMatchObject({ status: 'scheduled', cron: '30 9 * * 1', timeZone: 'Asia/Tokyo' });
    const launchAt = new Date(body.launchAt as string);
    expect(launchAt.getTime()).toBeGreaterThan(Date.now());
    expect([launchAt.getUTCDay(), launchAt.getUTCHours(), launchAt.getUTCMinutes()]).toEqual([1, 0, 30]);
  });

  test.each([
    [{ cron: 'every monday' }, 'is not valid'],
    [{ cron: '61 * * * *' }, 'is not valid'],
    [{ cron: '* * * * * *' }, 'is not valid'],
    [{ cron: '0 0 31 2 *' }, 'never matches a time'],
    [{ cron: '0 9 * * 1', timeZone: 'Mars/Olympus' }, 'time zone'],
    [{ at: '2999-01-01T00:00:00Z', timeZone: 'Mars/Olympus' }, 'time zone'],
    [{ at: '2020-01-01T00:00:00Z' }, 'in the past'],
    [{ at: 'soon' }, 'is not a valid date'],
    [{ at: '2027-02-30T09:00:00Z' }, 'is not a valid date'],
    [{ at: '2999-01-31 09:00' }, 'is not a valid date'],
    [{ at: '12/01/2999' }, 'is not a valid date'],
    [{ at: '2999-01-31T09:00:00' }, 'does not say in which time zone it is'],
    [{ cron: '* 9 * * 1', timeZone: 'Europe/Berlin' }, 'This is 60 launches between 9:00 and 9:59'],
    [{ cron: '* * * * *' }, 'This is 60 launches between'],
    [{ cron: '0 9 * * 1', timeZone: '+01:00' }, 'time zone'],
    [{}, 'either `at`'],
    [{ at: '2999-01-01T00:00:00Z', cron: '0 9 * * 1' }, 'either `at`'],
  ])('%j is refused in words and changes nothing', async (body, words) => {
    const { id } = await draft();
    const answer = await schedule<Problem>(id, body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid' } });
    expect(answer.body.detail).toContain(words);
    expect(await reread(id)).toMatchObject({ status: 'draft', launchAt: null });
    expect(await post('/schedule-preview', body)).toMatchObject({ status: 400, body: answer.body });
  });

  test('for a wall time is read in the zone that was given, and keeps it', async () => {
    const { id } = await draft();
    const wallTime = { at: '2999-01-31T09:00:00', timeZone: 'America/New_York' };
    const { body } = await schedule(id, wallTime);
    expect(body).toMatchObject({ launchAt: '2999-01-31T14:00:00Z', timeZone: 'America/New_York' });
    const instant = { at: '2999-01-31T09:00:00+01:00', timeZone: 'America/New_York' };
    expect((await schedule(id, instant)).body).toMatchObject({
      launchAt: '2999-01-31T08:00:00Z',
      timeZone: 'America/New_York',
    });
  });

  test('is previewed without being saved, and then saved as previewed', async () => {
    const { id } = await draft();
    const weekly = { cron: '0 9 * * 1', timeZone: 'Europe/Berlin' };
    const preview = await post<{ next: string[]; timeZone: string }>('/schedule-preview', weekly);
    expect(preview).toMatchObject({ status: 200, body: { timeZone: 'Europe/Berlin' } });
    const [first = '', second = '', third = ''] = preview.body.next;
    expect(preview.body.next).toHaveLength(3);
    for (const launch of [second, third]) expect(new Date(launch).getUTCDay()).toBe(1);
    expect(await reread(id)).toMatchObject({ status: 'draft', launchAt: null });
    expect(Date.parse((await schedule(id, weekly)).body.launchAt as string)).toBe(Date.parse(first));
  });

  test('can be moved, cancelled, and not launched by hand when it repeats', async () => {
    const { id } = await draft();
    await schedule(id, { cron: '0 9 * * 1' });
    expect((await post(`/${id}/launch`)).status).toBe(409);
    expect((await change(id, 2, { name: 'x' })).status).toBe(409);
    const moved = await schedule(id, { at: '2999-01-01T00:00:00Z' });
    expect(moved.body).toMatchObject({ launchAt: '2999-01-01T00:00:00Z', cron: null });
    expect((await post(`/${id}/cancel`)).body.status).toBe('cancelled');
    expect((await schedule(id, { cron: '0 9 * * 1' })).status).toBe(409);
  });
});

test('cancelling ends a campaign in any state before its end, once and for all', async () => {
  const { id } = await draft();
  await post(`/${id}/launch`);
  expect(await post(`/${id}/cancel`)).toMatchObject({ status: 200, body: { status: 'cancelled' } });
  expect(await post(`/${id}/cancel`)).toMatchObject({ status: 200, body: { status: 'cancelled' } });
  expect((await post(`/${id}/launch`)).status).toBe(409);
});

test('who was written to comes page by page, by status', async () => {
  const { id } = await draft();
  const people = await api.database.db
    .selectFrom('employees')
    .select('id')
    .where('org_id', '=', owner.orgId)
    .orderBy('id')
    .execute();
  const rows = people.map(({ id: employee_id }, n) => ({
    org_id: owner.orgId,
    campaign_id: id,
    employee_id,
    status: n === 0 ? ('failed' as const) : ('sent' as const),
    cause: n === 0 ? ('recipient' as const) : null,
  }));
  await api.database.db.insertInto('reach_outs').values(rows).execute();
  await draft(); // moves the reader's position behind the rows above
  type Page = { items: { status: string; employee: { id: number } }[]; nextCursor: string | null };
  const list = (query: string) => owner.get<Page>(`/api/v1/campaigns/${id}/reach-outs?${query}`);
  const all = (await list('')).body.items;
  expect(all.map(({ employee }) => employee.id)).toEqual(people.map((person) => person.id));
  const first = (await list('status=sent&limit=2')).body;
  const second = (await list(`status=sent&limit=2&cursor=${first.nextCursor}`)).body;
  expect([...first.items, ...second.items].map(({ status }) => status)).toEqual(Array(people.length - 1).fill('sent'));
  expect((await list(`status=failed&cursor=${first.nextCursor}`)).status).toBe(400);
  expect((await list('status=lost')).status).toBe(400);
});

function outboxOf(campaignId: number) {
  return api.database.db
    .selectFrom('outbox')
    .select(['org_id', 'topic'])
    .where((where) => where('payload', '@>', JSON.stringify({ campaignId }) as never))
    .execute();
}
