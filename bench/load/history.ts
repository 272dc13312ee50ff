/**
 * What it is: every write that was acknowledged is looked for in the database, after whatever happened meanwhile.
 * What fails without it: a test that kills processes and then asks whether the product still answers. It always does;
 *   the question is whether it forgot something.
 * How it works: the generators write a line for each acknowledgement, nothing for a request without an answer (which
 *   may or may not have happened). Here each line is joined with the table where it must be.
 * What it costs: one pass over the file, HISTORY_BATCH_ROWS at a time. Its proof: test/bench/load/history.test.ts.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { batches } from '../../src/flow/batch.ts';
import type { AcknowledgedAnswer } from './socket-client.ts';

export type HistoryEntry =
  | ({ readonly kind: 'answer' } & AcknowledgedAnswer)
  | { readonly kind: 'campaign'; readonly orgId: number; readonly id: number; readonly name: string }
  | { readonly kind: 'employee'; readonly orgId: number; readonly email: string; readonly name: string };

export interface HistoryFigures {
  readonly answers: number;
  readonly campaigns: number;
  readonly employees: number;
  /** Acknowledged and not there, or there with another text. */
  readonly lost: number;
  readonly duplicated: number;
  /** Answers that are there with another number than was acknowledged. */
  readonly wrongSeq: number;
  /** Conversations whose numbers have gaps. */
  readonly withGaps: number;
  readonly samples: readonly string[];
}

type Fault = { readonly what: 'lost' | 'duplicated' | 'wrongSeq' | 'withGaps'; readonly sample: string };

const HISTORY_BATCH_ROWS = 5_000;
const SAMPLES_MAX = 10;

/** Sound when `lost`, `duplicated`, `wrongSeq` and `withGaps` are 0. `databaseUrl` is the primary's, for reading only. */
export async function checkHistory(
  databaseUrl: string,
  entries: Iterable<HistoryEntry> | AsyncIterable<HistoryEntry>,
): Promise<HistoryFigures> {
  const client = new Client({ connectionString: databaseUrl, application_name: 'bench-history' });
  await client.connect();
  const counts = { answers: 0, campaigns: 0, employees: 0, lost: 0, duplicated: 0, wrongSeq: 0, withGaps: 0 };
  const samples: string[] = [];
  try {
    await client.query(`begin transaction isolation level repeatable read read only`);
    for await (const batch of batches(entries, HISTORY_BATCH_ROWS)) {
      const answers = batch.filter((entry) => entry.kind === 'answer');
      const campaigns = batch.filter((entry) => entry.kind === 'campaign');
      const employees = batch.filter((entry) => entry.kind === 'employee');
      counts.answers += answers.length;
      counts.campaigns += campaigns.length;
      counts.employees += employees.length;
      const faults = [
        ...(await find(client, ANSWER_FAULTS, answers)),
        ...(await find(client, GAPS, answers)),
        ...(await find(client, CAMPAIGN_FAULTS, campaigns)),
        ...(await find(client, EMPLOYEE_FAULTS, employees)),
      ];
      for (const { what, sample } of faults) {
        counts[what]++;
        if (samples.length < SAMPLES_MAX) samples.push(`${what}: ${sample}`);
      }
    }
    return { ...counts, samples };
  } finally {
    await client.end();
  }
}

/** The file that the generators wrote; a last line that broke off with its process is left out. */
export async function* readHistory(file: string): AsyncGenerator<HistoryEntry> {
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    const entry = parse(line);
    if (entry !== undefined) yield entry;
  }
}

function parse(line: string): HistoryEntry | undefined {
  try {
    return JSON.parse(line) as HistoryEntry;
  } catch {
    return undefined;
  }
}

async function find(client: Client, query: string, entries: readonly HistoryEntry[]): Promise<Fault[]> {
  if (entries.length === 0) return [];
  return (await client.query<Fault>(query, [JSON.stringify(entries)])).rows;
}

// The generators put the nonce into each answer's text and a name of its own on each campaign: what was stored twice
// under two numbers is found by its words.
const ANSWER_FAULTS = `
  select case when m.seq is null or m.body <> given.body then 'lost'
      when (select count(*) from messages twin where twin.org_id = c.org_id and twin.conversation_id = c.id
        and twin.body = given.body) > 1 then 'duplicated'
      else 'wrongSeq' end as what,
    format('answer %s of reach-out %s, acknowledged as %s, is %s', given.nonce, given."reachOutId", given.seq,
      coalesce(m.seq::text, 'not there')) as sample
  from jsonb_to_recordset($1::jsonb) as given ("orgId" bigint, "reachOutId" bigint, nonce text, seq int, body text)
  left join conversations c on c.org_id = given."orgId" and c.reach_out_id = given."reachOutId"
  left join messages m on m.org_id = c.org_id and m.conversation_id = c.id and m.nonce = given.nonce
  where m.seq is null or m.body <> given.body or m.seq <> given.seq
    or (select count(*) from messages twin where twin.org_id = c.org_id and twin.conversation_id = c.id
      and twin.body = given.body) > 1`;

const GAPS = `
  select 'withGaps' as what,
    format('conversation %s has %s messages, numbers up to %s and says %s', c.id, count(*), max(m.seq), c.last_seq) as sample
  from (select distinct "orgId", "reachOutId" from jsonb_to_recordset($1::jsonb)
    as entry ("orgId" bigint, "reachOutId" bigint)) as given
  join conversations c on c.org_id = given."orgId" and c.reach_out_id = given."reachOutId"
  join messages m on m.org_id = c.org_id and m.conversation_id = c.id
  group by c.org_id, c.id, c.last_seq
  having count(*) <> max(m.seq) or min(m.seq) <> 1 or c.last_seq <> max(m.seq)`;

const CAMPAIGN_FAULTS = `
  select case when c.id is null then 'lost' else 'duplicated' end as what,
    format('campaign %s "%s" of organisation %s', given.id, given.name, given."orgId") as sample
  from jsonb_to_recordset($1::jsonb) as given ("orgId" bigint, id bigint, name text)
  left join campaigns c on c.org_id = given."orgId" and c.id = given.id and c.name = given.name
  where c.id is null or exists (select from campaigns twin
    where twin.org_id = given."orgId" and twin.name = given.name and twin.id <> given.id and twin.parent_id is null)`;

const EMPLOYEE_FAULTS = `
  select 'lost' as what, format('employee %s of organisation %s', given.email, given."orgId") as sample
  from jsonb_to_recordset($1::jsonb) as given ("orgId" bigint, email text, name text)
  left join employees e on e.org_id = given."orgId" and e.email = given.email and e.name = given.name
  where e.id is null`;
