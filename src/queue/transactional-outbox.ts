/**
 * What it is: work that must happen after a commit is recorded in the same transaction, and delivered from there.
 * What fails without it: a crash between COMMIT and enqueue loses the job; an enqueue before COMMIT runs a job for a
 *   transaction that rolled back.
 * How it works: `writeToOutbox` inserts a row; the relay locks the rows of one topic with SKIP LOCKED, passes them to
 *   the topic's handler, deletes them and commits. What a handler writes in that transaction happens exactly once;
 *   anything else can happen again after a crash and must be idempotent. When a batch fails, its events are tried one
 *   by one: a failing one is retried with backoff, the others are delivered.
 *   Events of a topic without a handler stay in the table and are logged: they belong to a newer release, or to a
 *   module that was removed too early.
 *   Events of one trace are handled within it; where a batch has several, each event says its own.
 * What it costs: one row in and out per event, and OUTBOX_EVERY_MS of delay.
 * Its bound: OUTBOX_BATCH_ROWS, OUTBOX_RETRY_MS. Its proof: test/queue/transactional-outbox.test.ts,
 *   bench/patterns/transactional-outbox.
 */
import { sql } from 'kysely';
import type { Database } from '../db/read-write-split.ts';
import type { Db } from '../db/schema.ts';
import { EVERY_ORGANISATION } from '../db/tenant-isolation.ts';
import { backoffMs } from '../flow/backoff.ts';
import { OUTBOX_BATCH_ROWS, OUTBOX_RETRY_MS } from '../limits.ts';
import type { Log } from '../log.ts';
import { currentTraceparent, inSpan, withinTrace } from '../trace.ts';

/** Topic to payload. A module adds its own: `declare module '…/transactional-outbox.ts' { interface Topics { … } }`. */
// biome-ignore lint/suspicious/noEmptyInterface: modules add to it
export interface Topics {}

export type Topic = keyof Topics & string;

export interface OutboxEvent<T extends Topic = Topic> {
  readonly id: number;
  readonly orgId: number;
  readonly payload: Topics[T];
  /** The trace of the request that wrote it. */
  readonly traceparent?: string | null;
}

/** `transaction` is the relay's: what is written in it commits together with the delivery, or not at all. */
export type TopicHandler<T extends Topic = Topic> = (
  events: readonly OutboxEvent<T>[],
  transaction: Db,
) => Promise<void>;

export type TopicHandlers = { readonly [T in Topic]?: TopicHandler<T> };

/** Call it in the transaction that makes the event true. */
export async function writeToOutbox<T extends Topic>(
  transaction: Db,
  event: { readonly orgId: number; readonly topic: T; readonly payload: Topics[T] },
): Promise<void> {
  await transaction
    .insertInto('outbox')
    .values({
      org_id: event.orgId,
      topic: event.topic,
      payload: JSON.stringify(event.payload),
      traceparent: currentTraceparent() ?? null,
    })
    .execute();
}

/** Delivers one batch of each topic that has a handler. Returns how many events were delivered. */
export async function relayOutbox(database: Database, handlers: TopicHandlers, log: Log): Promise<number> {
  let delivered = 0;
  // Each topic's rows have the payload type that its own handler expects.
  const entries = Object.entries(handlers) as unknown as [string, TopicHandler][];
  for (const [topic, handle] of entries) delivered += await relayTopic(database, topic, handle, log);
  return delivered;
}

async function relayTopic(database: Database, topic: string, handle: TopicHandler, log: Log): Promise<number> {
  return database.transact(EVERY_ORGANISATION, async (transaction) => {
    const { rows: events } = await sql<OutboxEvent & { attempts: number }>`
      select id, org_id as "orgId", payload, traceparent, attempts from outbox
      where topic = ${topic} and due_at <= now() order by due_at, id limit ${OUTBOX_BATCH_ROWS} for update skip locked`.execute(
      transaction,
    );
    if (events.length === 0) return 0;
    const failed = await deliver(transaction, topic, events, handle);
    for (const { event, error } of failed) {
      log.error(
        { err: error, topic, event: event.id, attempts: event.attempts + 1 },
        'outbox event failed; it will be retried',
      );
      const waitMs = backoffMs(event.attempts, OUTBOX_RETRY_MS);
      await sql`
        update outbox set attempts = attempts + 1, due_at = now() + make_interval(secs => ${waitMs / 1000}::float8)
        where id = ${event.id}`.execute(transaction);
    }
    const done = events.filter((event) => !failed.some((one) => one.event === event)).map(({ id }) => id);
    await sql`delete from outbox where id = any(${done}::bigint[])`.execute(transaction);
    return done.length;
  });
}

/** Returns the events that could not be delivered; anything that their handler wrote is rolled back. */
async function deliver<E extends OutboxEvent>(
  transaction: Db,
  topic: string,
  events: readonly E[],
  handle: TopicHandler,
) {
  const start = { name: `outbox ${topic}`, kind: 'consumer' } as const;
  const handleAs = (trace: string | null | undefined, some: readonly E[]) =>
    attempt(transaction, () => withinTrace(trace, () => inSpan(start, () => handle(some, transaction))));
  const failed: { event: E; error: unknown }[] = [];
  const traces = new Set(events.map(({ traceparent }) => traceparent));
  const [trace] = traces.size === 1 ? traces : [];
  const together = await handleAs(trace, events);
  if (together === undefined) return failed;
  if (events.length === 1) return [{ event: events[0] as E, error: together }];
  for (const event of events) {
    const error = await handleAs(event.traceparent, [event]);
    if (error !== undefined) failed.push({ event, error });
  }
  return failed;
}

/** Rolls back what `work` wrote if it fails, and returns the error. */
async function attempt(transaction: Db, work: () => Promise<void>): Promise<unknown> {
  await sql`savepoint delivery`.execute(transaction);
  try {
    await work();
    await sql`release savepoint delivery`.execute(transaction);
    return undefined;
  } catch (error) {
    await sql`rollback to savepoint delivery`.execute(transaction);
    return error;
  }
}

/** The number of events without a handler, by topic, among the OUTBOX_BATCH_ROWS oldest: events with one soon leave. */
export async function unhandledTopics(
  database: Database,
  handlers: TopicHandlers,
): Promise<{ topic: string; events: number }[]> {
  const { rows } = await sql<{ topic: string; events: number }>`
    select topic, count(*)::int as events from (select topic from outbox order by id limit ${OUTBOX_BATCH_ROWS}) as oldest
    where topic <> all(${Object.keys(handlers)}::text[]) group by topic order by topic`.execute(
    database.primary(EVERY_ORGANISATION),
  );
  return rows;
}

/** Logs events of topics that this release has no handler for. */
export async function reportUnhandledTopics(database: Database, handlers: TopicHandlers, log: Log): Promise<void> {
  for (const unhandled of await unhandledTopics(database, handlers)) {
    log.error(unhandled, 'the outbox holds events without a handler: they stay until a release handles their topic');
  }
}
