import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { type Database, openDatabase } from '../../../src/db/read-write-split.ts';
import type { AnswerQuestion } from '../../../src/modules/conversations/answers.ts';
import { CONVERSATION_MESSAGES_MAX } from '../../../src/modules/conversations/limits.ts';
import { createMetrics } from '../../../src/process/metrics.ts';
import { backendCpuSeconds } from '../backend-cpu.ts';
import { benchOrganisation, copyEmployees } from '../bench-organisation.ts';
import { BENCH_LOG, openBenchPool } from '../bench-pool.ts';
import type { PatternCase } from '../pattern.ts';

type Variant = { createAnswers(database: Database): AnswerQuestion };
type Input = { readonly people: number };

const SIZE = { conversations: 200_000, answersEach: 5 };
const PEOPLE = 4_000;
const AT_ONCE = 200;
const SLOWER_FACTOR = 3;

export const pattern: PatternCase<Variant, Input> = {
  slug: 'group-commit',
  asks: `${PEOPLE} people answer the same campaign, ${AT_ONCE} at once.`,
  breaks: `it takes ${SLOWER_FACTOR} times as long, because they all wait for the lock on the campaign's counters`,
  holds: 'every answer is stored, and counted once',
  needs: ['database'],
  small: { people: 300 },
  full: { people: PEOPLE },

  async prepare({ databaseUrl }) {
    await benchOrganisation(databaseUrl, SIZE);
  },

  async perform(variant, { people }, { databaseUrl, workerDatabaseUrl }) {
    const owner = openBenchPool(databaseUrl, 1);
    const database = openDatabase({
      config: { databaseUrl: workerDatabaseUrl, databaseReplicaUrl: undefined },
      name: 'chat',
      log: BENCH_LOG,
      metrics: createMetrics('bench'),
    });
    try {
      const orgId = await copyEmployees(owner.unscoped, await benchOrganisation(databaseUrl, SIZE), people);
      const conversations = await openConversations(owner.unscoped, orgId);
      const answer = variant.createAnswers(database);
      const cpuBefore = await backendCpuSeconds(owner.unscoped, CHAT);
      const begun = performance.now();
      await answerAll(answer, orgId, conversations);
      const answerSeconds = (performance.now() - begun) / 1000;
      const serverCpuSeconds = (await backendCpuSeconds(owner.unscoped, CHAT)) - cpuBefore;
      const { digest, counted } = await stored(owner.unscoped, orgId);
      return { digest, figures: { counted, answerSeconds, perSecond: people / answerSeconds, serverCpuSeconds } };
    } finally {
      await database.close();
      await owner.close();
    }
  },

  isBroken: (naive, hardened) =>
    naive.ending === 'too slow' ||
    (naive.figures.answerSeconds ?? 0) > SLOWER_FACTOR * (hardened.figures.answerSeconds ?? Number.POSITIVE_INFINITY),
  isHeld: (hardened) => hardened.ending === 'finished' && hardened.figures.counted === PEOPLE,
};

/** As pg_stat_activity names the chat's connections. */
const CHAT = 'tardigrade-chat';

type Db = ReturnType<typeof openBenchPool>['unscoped'];

/** Everybody has read the one question of one campaign. */
async function openConversations(db: Db, orgId: number): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    with campaign as (
      insert into campaigns (org_id, name, subject, body, questions) values (${orgId}, 'Evening', 'Bench', 'Bench', array['How was it?'])
      returning id
    ), progress as (
      insert into campaign_progress (org_id, campaign_id) select ${orgId}, id from campaign
    ), asked as (
      insert into reach_outs (org_id, campaign_id, employee_id, status, due_at)
      select ${orgId}, campaign.id, e.id, 'sent', null from campaign, employees e where e.org_id = ${orgId} order by e.id
      returning id, campaign_id, employee_id
    )
    insert into conversations (org_id, campaign_id, employee_id, team_id, reach_out_id, last_seq, step)
    select ${orgId}, asked.campaign_id, e.id, e.team_id, asked.id, 1, 1
    from asked join employees e on e.org_id = ${orgId} and e.id = asked.employee_id order by asked.id
    returning id`.execute(db);
  return rows.map(({ id }) => id).sort((a, b) => a - b);
}

/** Each of AT_ONCE clients answers for the next person as soon as its last answer is acknowledged. */
async function answerAll(answer: AnswerQuestion, orgId: number, conversations: readonly number[]): Promise<void> {
  const next = conversations.entries();
  const client = async () => {
    for (const [nth, id] of next)
      await answer({ orgId, id }, { nonce: 'bench', body: TEXTS[nth % TEXTS.length] ?? '' });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
}

const TEXTS = ['It was a good week', 'Too many meetings, sadly', 'Nothing to add'];

async function stored(db: Db, orgId: number): Promise<{ digest: string; counted: number }> {
  const hash = createHash('sha256');
  const { rows } = await sql<{ text: string }>`
    select concat_ws(' ', row_number() over (order by v.id, m.seq), m.seq, m.sender, m.sentiment, m.body) as text
    from conversations v join messages m on m.org_id = v.org_id and m.conversation_id = v.id
    where v.org_id = ${orgId} order by v.id, m.seq limit ${PEOPLE * CONVERSATION_MESSAGES_MAX}`.execute(db);
  for (const { text } of rows) hash.update(`${text}\n`);
  const { rows: progress } = await sql<{ answers: number }>`
    select p.answers from campaign_progress p where p.org_id = ${orgId}`.execute(db);
  return { digest: hash.digest('hex'), counted: progress[0]?.answers ?? 0 };
}
