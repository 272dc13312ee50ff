import { afterAll, beforeAll, expect, test } from 'vitest';
import { CAMPAIGN_DEFAULTS } from '../../../src/modules/campaigns/campaign-mail.ts';
import { MOOD_GROUP_MIN } from '../../../src/modules/mood/limits.ts';
import { start as startAll } from '../../../workers/all.ts';
import type { ApiClient } from '../../api-client.ts';
import { createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { mailsTo, readMail, tokenIn } from '../../mails.ts';
import { registerClient } from '../../registration.ts';
import { emptyRedis, startWorker, type TestWorker, testEnvironment } from '../../worker.ts';
import { openChat, openConversation, sayAnswer } from './chat-client.ts';

const PEOPLE = 50;
const QUESTIONS = CAMPAIGN_DEFAULTS.questions.length;

let on: TestDatabase;
let all: TestWorker;
let client: ApiClient;
beforeAll(async () => {
  await emptyRedis();
  on = await createTestDatabase();
  all = await startWorker('all', startAll, await testEnvironment(on));
});
afterAll(async () => {
  await all?.stop();
  await on.close();
});

test('the whole story: register, import, launch, read the mail, talk, and see it on the dashboard', async () => {
  client = await registerClient({ url: all.config.apiUrl, database: on });
  await importPeople();
  const campaignId = await launch();
  const mails = await until('everybody has mail', async () => {
    const caught = await mailsTo('@story.test');
    return caught.length === PEOPLE ? caught : undefined;
  });
  expect(new Set(mails.map((mail) => mail.to)).size).toBe(PEOPLE);

  const tokens = new Map<string, string>();
  for (const mail of mails.slice(0, MOOD_GROUP_MIN)) tokens.set(mail.to, tokenIn((await readMail(mail.id)).text, 'c'));
  const [[grace, token], ...others] = [...tokens] as [[string, string], ...[string, string][]];

  const seqs = await talkWithALostConnection(token);
  // Two messages for each question, and the greeting: no gap, none twice, although the line broke in the middle.
  expect(seqs).toEqual(Array.from({ length: 1 + 2 * QUESTIONS }, (_, index) => index + 1));
  for (const [, other] of others) {
    const person = openConversation(all.config.chatUrl, other);
    await person.answer('It was terrible, I am exhausted');
    person.close();
  }

  await seeTheProgress(campaignId, others.length);
  await seeTheMood(others.length);
  await seeTheConversation(grace);
});

async function importPeople(): Promise<void> {
  const created = await client.send<{ id: number }>('POST', '/api/v1/imports', { fileName: 'people.csv' });
  const rows = Array.from({ length: PEOPLE }, (_, index) => `Person ${index},person-${index}@story.test,Support`);
  const csv = ['name,email,team', ...rows].join('\n');
  const imported = await client.send('PUT', `/api/v1/imports/${created.body.id}/file`, csv, {
    'content-type': 'text/csv',
  });
  expect(imported.body).toMatchObject({ status: 'done', rowsAdded: PEOPLE, rowsRejected: 0 });
}

async function launch(): Promise<number> {
  const { subject, body } = CAMPAIGN_DEFAULTS;
  const created = await client.send<{ id: number }>('POST', '/api/v1/campaigns', { name: 'Weekly', subject, body });
  expect(created.status).toBe(201);
  const launched = await client.send('POST', `/api/v1/campaigns/${created.body.id}/launch`);
  expect(launched.body).toMatchObject({ status: 'sending' });
  return created.body.id;
}

/** Answers every question; after the second answer the line breaks before its acknowledgement. Returns the seqs seen. */
async function talkWithALostConnection(token: string): Promise<number[]> {
  const seqs: number[] = [];
  let chat = await openChat(all.config.chatUrl, token);
  const { messages } = await chat.hello();
  seqs.push(...(messages as { seq: number }[]).map((message) => message.seq));

  for (let question = 1; question <= QUESTIONS; question++) {
    const body = question === 1 ? 'Great, "really" great' : `I am happy with it, answer ${question}`;
    if (question === 2) {
      chat.say(sayAnswer('answer-2', 3, body));
      chat.socket.terminate();
      await chat.closed;
      chat = await openChat(all.config.chatUrl, token);
      const lastSeq = seqs.at(-1) as number;
      const missed = (await chat.hello(lastSeq))['messages'] as { seq: number }[];
      seqs.push(...missed.map((message) => message.seq));
    }
    const last = seqs.at(-1) as number;
    const ack = await chat.answer(`answer-${question}`, body);
    expect(ack).toMatchObject({ type: 'ack', seq: 2 * question });
    await chat.hello(last); // all that the answer brought has been said before this welcome
    seqs.push(
      ...chat.frames
        .filter((frame) => frame.type === 'message')
        .map((frame) => frame['seq'] as number)
        .filter((seq) => seq > last),
    );
  }
  await chat.heard((frame) => frame.type === 'finished');
  chat.socket.close();
  return seqs;
}

async function seeTheProgress(campaignId: number, others: number): Promise<void> {
  const progress = {
    recipients: PEOPLE,
    sent: PEOPLE,
    failed: 0,
    possiblyTwice: 0,
    opened: others + 1,
    finished: 1,
    answers: QUESTIONS + others,
  };
  await until('the campaign is done on the replica, too', async () => {
    const { body } = await client.get<{ status: string; progress: { answers: number } }>(
      `/api/v1/campaigns/${campaignId}`,
    );
    return body.status === 'done' && body.progress.answers === progress.answers;
  });
  expect((await client.get(`/api/v1/campaigns/${campaignId}`)).body).toMatchObject({ progress });
}

async function seeTheMood(others: number): Promise<void> {
  type Mood = { organisation: { answers: number; scored: number; mood: number }[] };
  const body = await until('all answers are scored', async () => {
    const { body } = await client.get<Mood>('/api/v1/mood');
    return body.organisation[0]?.scored === QUESTIONS + others ? body : undefined;
  });
  expect(body).toMatchObject({
    organisation: [{ answers: QUESTIONS + others }],
    teams: [{ name: 'Support', days: [{}] }],
  });
  const mood = body.organisation[0]?.mood as number;
  expect(Math.abs(mood)).toBeLessThan(1);
}

async function seeTheConversation(email: string): Promise<void> {
  const list = await client.get<{ items: { id: number; answers: number }[] }>('/api/v1/conversations');
  const finished = list.body.items.filter((conversation) => conversation.answers === QUESTIONS);
  expect(finished).toHaveLength(1);
  const { body } = await client.get<{ mood: number; messages: { body: string; sentiment: number | null }[] }>(
    `/api/v1/conversations/${finished[0]?.id}`,
  );
  expect(body.messages).toHaveLength(1 + 2 * QUESTIONS);
  expect(body.messages[1]).toMatchObject({ body: 'Great, "really" great', sentiment: expect.any(Number) });
  expect(body.mood).toBeGreaterThan(0);

  const csv = (await client.get<string>('/api/v1/exports/answers.csv')).body;
  const lines = csv.trim().split('\r\n');
  expect(lines[0]).toMatch(/^\uFEFF?at,campaign,team,employee,email,question,answer,sentiment$/);
  const own = lines.filter((line) => line.includes(email));
  expect(own).toHaveLength(QUESTIONS);
  expect(own[0]).toContain(`,"Great, ""really"" great",`);
  for (const [index, question] of CAMPAIGN_DEFAULTS.questions.entries()) expect(own[index]).toContain(question);
}
