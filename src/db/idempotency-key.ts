/**
 * What it is: a request that is sent twice, because its answer got lost, is done once, and answered alike both times.
 * What fails without it: the connection breaks after COMMIT, the client tries again, and the order is placed twice.
 * How it works: the request's first write takes an advisory lock on its key and stays open until the answer is known;
 *   the answer is then kept in the same transaction, so there is an answer if and only if the work was done. A second
 *   request with the key meanwhile does not get the lock (409); one that comes later gets the kept answer, or a 422 if
 *   it asks for something else; so does one that is refused because the first was done meanwhile. An error is not kept:
 *   nothing was done, and the key can be used again. A crash leaves nothing behind: the lock ends with its connection.
 *   Nor is the answer kept of a request that wrote nothing: it can be given again, and a key for each costs no row. The
 *   body and the cookies can hold a secret that is shown once, so they are encrypted, with the key (of which only the
 *   hash is kept) and SECRET_KEY together; and the request, which can hold a password, is known by a hash that cannot
 *   be made without SECRET_KEY. With a new SECRET_KEY nothing can be read or told apart any more: a repetition hears
 *   that it was done (409), and never that its key is another request's, for then it would be sent with a new one.
 *   Whoever is not signed in belongs to no organisation until something is written: the answer is kept with the
 *   organisation that it is written in.
 * What it costs: a read by primary key before the work, a lock, a read and an insert in the transaction, which is open
 *   for as long as it takes to make the answer; and only where a key was sent. A handler that asks for another
 *   connection after its write may have to wait for one, as POOL_ACQUIRE_MS says.
 * Its bound: IDEMPOTENCY_KEY_CHARS_MAX, IDEMPOTENCY_KEY_MS, IDEMPOTENT_ANSWER_BYTES_MAX; REPEATABLE_REQUESTS_MAX
 *   of an organisation in REPEATABLE_REQUESTS_MS: at most 240,000 rows in IDEMPOTENCY_KEY_MS, each beside a write that it paid for: 120 MB at the usual
 *   500 bytes. Of people who are not signed in, REPEATABLE_REQUESTS_OF_STRANGERS_PER_MINUTE_MAX of a network.
 * Its proof: test/http/idempotency.test.ts, bench/patterns/idempotency-key.
 */
import { sql, type Transaction } from 'kysely';
import { AppError } from '../errors.ts';
import { IDEMPOTENCY_KEY_MS, IDEMPOTENT_ANSWER_BYTES_MAX, RETRY_AFTER_SECONDS } from '../limits.ts';
import { CURRENT_POSITION, type WalPosition } from './failover-position.ts';
import { holdingConnection } from './pool.ts';
import type { Caller, DatabaseSession } from './read-write-split.ts';
import type { Db, Schema } from './schema.ts';
import { hashOf, isOfSecret, namedHash, type SealedRequest, sealed, unsealed } from './sealed-answer.ts';
import { EVERY_ORGANISATION, NO_ORGANISATION, type Scope } from './tenant-isolation.ts';

export interface RepeatableRequest extends SealedRequest {
  /** Undefined while it is not known: of somebody who is not signed in. */
  readonly orgId: number | undefined;
  /** Who sends it, within the organisation. */
  readonly caller: string;
}

export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Values of Set-Cookie. */
  readonly cookies: readonly string[];
  /** Undefined if it was too large to keep, or was encrypted with another SECRET_KEY. */
  readonly body: Buffer | undefined;
}

/** An answer that was given before. */
export interface EarlierAnswer extends KeptAnswer {
  /** Of the primary when it was found, so what it answers was committed before. */
  readonly position: WalPosition;
}

/** Thrown inside the request's first write, when another request with the same key has just been answered. */
export class AnsweredBefore extends Error {
  override name = 'AnsweredBefore';
  readonly answer: EarlierAnswer;
  constructor(answer: EarlierAnswer) {
    super('A request with this Idempotency-Key has been answered');
    this.answer = answer;
  }
}

export interface GuardedSession {
  /** For the request's work. What it writes is committed by `answered`. */
  readonly session: DatabaseSession;
  /**
   * Commits together with the answer; with undefined, for an error, everything is rolled back. Says whether there was
   * anything to commit, and so an answer to keep.
   */
  answered(answer: KeptAnswer | undefined): Promise<boolean>;
}

/**
 * The answer to an earlier request with the key. Throws `key_reused` if that was another one. `db`: of the organisation, or
 * of all of them while it is not known.
 */
export async function keptAnswer(db: Db, request: RepeatableRequest): Promise<EarlierAnswer | undefined> {
  const { orgId } = request;
  const row = await db
    .selectFrom('idempotency_keys')
    .$if(orgId !== undefined, (query) => query.where('org_id', '=', orgId as number))
    .$if(orgId === undefined, (query) => query.limit(1))
    .where('caller', '=', request.caller)
    .where('key_hash', '=', hashOf([request.key]))
    .where('answered_at', '>', sql<string>`now() - make_interval(secs => ${IDEMPOTENCY_KEY_MS / 1_000}::float8)`)
    .select(['request_hash', 'status', 'headers', 'body', CURRENT_POSITION.as('position')])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { status, headers, position } = row;
  const unreadable = { status, headers, position, cookies: [], body: undefined };
  if (!isOfSecret(row.request_hash, request)) return unreadable;
  if (!row.request_hash.equals(namedHash(request)))
    throw new AppError('key_reused', 'This Idempotency-Key was used for another request. Make a new one for each.');
  const secrets = row.body === null ? undefined : unsealed(row.body, request);
  return secrets === undefined ? unreadable : { status, headers, position, ...secrets };
}

export function guardSession(session: DatabaseSession, request: RepeatableRequest): GuardedSession {
  /** Writes run one after another: they share one connection. */
  let last: Promise<unknown> | undefined;
  let open: Transaction<Schema> | undefined;
  let committed: Promise<void> | undefined;
  const answer = Promise.withResolvers<KeptAnswer>();
  answer.promise.catch(() => undefined);

  function begin<T>(work: (transaction: Transaction<Schema>) => Promise<T>): Promise<T> {
    const worked = Promise.withResolvers<T>();
    committed = session.write(async (transaction) => {
      // What the work returned is already in use, so a lost connection cannot be mended by working again.
      if (open !== undefined) throw new AppError('overloaded', 'The database was lost for a moment. Try again.');
      await claim(transaction, request);
      const value = await work(transaction);
      open = transaction;
      worked.resolve(value);
      await keepAnswer(transaction, request, await answer.promise);
    });
    committed.catch(worked.reject);
    return worked.promise;
  }

  return {
    session: {
      read: (query) => (open === undefined ? session.read(query) : query(open)),
      write(work) {
        const before = last;
        const written = (async () => {
          await before?.catch(() => undefined);
          const transaction = open;
          return transaction === undefined ? begin(work) : holdingConnection(() => work(transaction));
        })();
        last = written;
        return written;
      },
      position: session.position,
    },
    async answered(given) {
      if (given === undefined) {
        answer.reject(new Error('The request failed'));
        // Work that is still going on, after a timeout, is rolled back when it ends.
        if (open !== undefined) await committed?.catch(() => undefined);
        return false;
      }
      answer.resolve(given);
      await committed;
      return committed !== undefined;
    },
  };
}

/** The same for whoever is not signed in: guards what is written in the scope of the first write. */
export function guardCaller(
  caller: Caller,
  request: RepeatableRequest,
): Pick<GuardedSession, 'answered'> & { caller: Caller } {
  let first: { readonly scope: Scope; readonly guarded: GuardedSession } | undefined;
  let isAnswered = false;
  const onCommit: (() => void)[] = [];
  const sessionOf = (scope: Scope) => (first?.scope === scope ? first.guarded.session : caller.within(scope));
  return {
    caller: {
      within: (scope) => ({
        read: (query) => sessionOf(scope).read(query),
        async write(work) {
          // Nobody would ever commit it: a handler goes on after its time is over.
          if (isAnswered) throw new AppError('overloaded', 'This took too long. Try again in a moment.');
          const orgId = scope === EVERY_ORGANISATION ? NO_ORGANISATION : scope;
          first ??= { scope, guarded: guardSession(caller.within(scope), { ...request, orgId }) };
          return sessionOf(scope).write(work);
        },
        position: caller.position,
      }),
      seeAtLeast: caller.seeAtLeast,
      wrote: caller.wrote,
      afterCommit: (work) => void onCommit.push(work),
      position: caller.position,
      lastWrite: caller.lastWrite,
    },
    async answered(answer) {
      isAnswered = true;
      // An answer for which nothing was written is not kept: it can be given again.
      const isKept = await first?.guarded.answered(answer);
      if (answer !== undefined) for (const work of onCommit) work();
      return isKept === true;
    },
  };
}

/** Throws `in_progress` while another request has the key, and AnsweredBefore if it has ended. */
async function claim(transaction: Db, request: RepeatableRequest): Promise<void> {
  const name = `idempotency ${request.orgId} ${request.caller} ${hashOf([request.key]).toString('base64')}`;
  const { rows } = await sql<{ free: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended(${name}, 0)) as free`.execute(transaction);
  if (rows[0]?.free !== true)
    throw new AppError(
      'in_progress',
      'A request with this Idempotency-Key is being worked on. Repeat it in a moment.',
      {
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      },
    );
  const kept = await keptAnswer(transaction, request);
  if (kept !== undefined) throw new AnsweredBefore(kept);
}

/**
 * Only beside something else that was written: until then a transaction has no id. A row that is too old to be an answer is
 * replaced, should retention not have come by yet.
 */
async function keepAnswer(transaction: Db, request: RepeatableRequest, answer: KeptAnswer): Promise<void> {
  const { orgId = NO_ORGANISATION } = request;
  const isKept = answer.body !== undefined && answer.body.length <= IDEMPOTENT_ANSWER_BYTES_MAX;
  const values = {
    request_hash: namedHash(request),
    status: answer.status,
    headers: JSON.stringify(answer.headers),
    body: isKept ? sealed(answer.cookies, answer.body, request) : null,
  };
  await transaction
    .insertInto('idempotency_keys')
    .columns(['org_id', 'caller', 'key_hash', 'request_hash', 'status', 'headers', 'body'])
    .expression(
      transaction
        .selectNoFrom([
          sql<number>`${orgId}::bigint`.as('org_id'),
          sql<string>`${request.caller}::text`.as('caller'),
          sql<Buffer>`${hashOf([request.key])}::bytea`.as('key_hash'),
          sql<Buffer>`${values.request_hash}::bytea`.as('request_hash'),
          sql<number>`${values.status}::smallint`.as('status'),
          sql<string>`${values.headers}::jsonb`.as('headers'),
          sql<Buffer | null>`${values.body}::bytea`.as('body'),
        ])
        .where(sql<boolean>`pg_current_xact_id_if_assigned() is not null`),
    )
    .onConflict((conflict) =>
      conflict.columns(['org_id', 'caller', 'key_hash']).doUpdateSet({ ...values, answered_at: sql<string>`now()` }),
    )
    .execute();
}
