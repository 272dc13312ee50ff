/**
 * What it is: a request that is sent twice, because its answer got lost, is done once, and answered alike both times.
 * What fails without it: the connection breaks after COMMIT, the client tries again, and the order is placed twice.
 * How it works: the request's first write takes an advisory lock on its key and stays open until the answer is known;
 *   the answer is then kept in the same transaction, so there is an answer if and only if the work was done. A second
 *   request with the key meanwhile does not get the lock (409); one that comes later gets the kept answer, or a 422 if
 *   it asks for something else. An error is not kept: nothing was done, and the key can be used again. A crash leaves
 *   nothing behind: the lock ends with its connection. The body and the cookies can hold a secret that is shown once, so
 *   they are encrypted, with the key (of which only the hash is kept) and SECRET_KEY together; and the request, which can
 *   hold a password, is known by a hash that cannot be made without SECRET_KEY. Whoever is not signed in belongs to no
 *   organisation until something is written: the answer is kept with the organisation that it is written in.
 * What it costs: a read by primary key before the work, a lock, a read and an insert in the transaction, which is open
 *   for as long as it takes to make the answer; and only where a key was sent. A handler that asks for another
 *   connection after its write may have to wait for one, as POOL_ACQUIRE_MS says.
 * Its bound: IDEMPOTENCY_KEY_CHARS_MAX, IDEMPOTENCY_KEY_MS, IDEMPOTENT_ANSWER_BYTES_MAX.
 * Its proof: test/http/idempotency.test.ts, bench/patterns/idempotency-key.
 */
import { createCipheriv, createDecipheriv, createHmac, hash, hkdfSync, randomBytes } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import { AppError } from '../errors.ts';
import { IDEMPOTENCY_KEY_MS, IDEMPOTENT_ANSWER_BYTES_MAX, RETRY_AFTER_SECONDS } from '../limits.ts';
import { holdingConnection } from './pool.ts';
import type { Caller, DatabaseSession } from './read-write-split.ts';
import type { Db, Schema } from './schema.ts';
import { EVERY_ORGANISATION, NO_ORGANISATION, type Scope } from './tenant-isolation.ts';

export interface RepeatableRequest {
  /** Undefined while it is not known: of somebody who is not signed in. */
  readonly orgId: number | undefined;
  /** Who sends it, within the organisation. */
  readonly caller: string;
  readonly key: string;
  /** The service's own, which is not in the database: clients may send keys that can be guessed. */
  readonly secretKey: string;
  /** All that decides what it does: method, address and body. */
  readonly parameters: readonly (string | Uint8Array)[];
}

export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Values of Set-Cookie. */
  readonly cookies: readonly string[];
  /** Undefined if it was too large to keep, or was encrypted with another SECRET_KEY. */
  readonly body: Buffer | undefined;
}

/** Thrown inside the request's first write, when another request with the same key has just been answered. */
export class AnsweredBefore extends Error {
  override name = 'AnsweredBefore';
  readonly answer: KeptAnswer;
  constructor(answer: KeptAnswer) {
    super('A request with this Idempotency-Key has been answered');
    this.answer = answer;
  }
}

export interface GuardedSession {
  /** For the request's work. What it writes is committed by `answered`. */
  readonly session: DatabaseSession;
  /** Commits together with the answer; with undefined, for an error, everything is rolled back. */
  answered(answer: KeptAnswer | undefined): Promise<void>;
}

/**
 * The answer to an earlier request with the key. Throws `key_reused` if that was another one. `db`: of the organisation, or
 * of all of them while it is not known.
 */
export async function keptAnswer(db: Db, request: RepeatableRequest): Promise<KeptAnswer | undefined> {
  const { orgId } = request;
  const row = await db
    .selectFrom('idempotency_keys')
    .$if(orgId !== undefined, (query) => query.where('org_id', '=', orgId as number))
    .$if(orgId === undefined, (query) => query.limit(1))
    .where('caller', '=', request.caller)
    .where('key_hash', '=', hashOf([request.key]))
    .where('answered_at', '>', sql<string>`now() - make_interval(secs => ${IDEMPOTENCY_KEY_MS / 1_000}::float8)`)
    .select(['request_hash', 'status', 'headers', 'body'])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  if (!row.request_hash.equals(requestHash(request)))
    throw new AppError('key_reused', 'This Idempotency-Key was used for another request. Make a new one for each.');
  const { status, headers } = row;
  const secrets = row.body === null ? undefined : decrypted(row.body, request);
  return { status, headers, ...(secrets === undefined ? { cookies: [], body: undefined } : unpacked(secrets)) };
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
      get position() {
        return session.position;
      },
    },
    async answered(given) {
      if (given === undefined) {
        answer.reject(new Error('The request failed'));
        // Work that is still going on, after a timeout, is rolled back when it ends.
        if (open !== undefined) await committed?.catch(() => undefined);
        return;
      }
      answer.resolve(given);
      // Without a write the answer alone is kept: a repetition is answered the same all the same.
      if (committed === undefined) await begin(async () => undefined);
      await committed;
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
        get position() {
          return caller.position;
        },
      }),
      seeAtLeast: caller.seeAtLeast,
      afterCommit: (work) => void onCommit.push(work),
      get position() {
        return caller.position;
      },
      get lastWrite() {
        return caller.lastWrite;
      },
    },
    async answered(answer) {
      isAnswered = true;
      // An answer for which nothing was written is not kept: it can be given again.
      await first?.guarded.answered(answer);
      if (answer !== undefined) for (const work of onCommit) work();
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

/** A row that is too old to be an answer is replaced, should retention not have come by yet. */
async function keepAnswer(transaction: Db, request: RepeatableRequest, answer: KeptAnswer): Promise<void> {
  const { orgId = NO_ORGANISATION } = request;
  const isKept = answer.body !== undefined && answer.body.length <= IDEMPOTENT_ANSWER_BYTES_MAX;
  const values = {
    request_hash: requestHash(request),
    status: answer.status,
    headers: JSON.stringify(answer.headers),
    body: isKept ? encrypted(packed(answer.cookies, answer.body), request) : null,
  };
  await transaction
    .insertInto('idempotency_keys')
    .values({ org_id: orgId, caller: request.caller, key_hash: hashOf([request.key]), ...values })
    .onConflict((conflict) =>
      conflict.columns(['org_id', 'caller', 'key_hash']).doUpdateSet({ ...values, answered_at: sql<string>`now()` }),
    )
    .execute();
}

function hashOf(parts: readonly (string | Uint8Array)[]): Buffer {
  // The length in front keeps ['ab', 'c'] and ['a', 'bc'] apart.
  const bytes = parts.flatMap((part) => [Buffer.from(`${part.length}:`), Buffer.from(part as string)]);
  return hash('sha256', Buffer.concat(bytes), 'buffer');
}

/** With SECRET_KEY: a plain hash of a request with a password in it would let whoever reads the table try passwords quickly. */
export function requestHash({ parameters, secretKey }: Pick<RepeatableRequest, 'parameters' | 'secretKey'>): Buffer {
  return createHmac('sha256', secretKey).update(hashOf(parameters)).digest();
}

/** The length of the cookies, these as JSON, and the body. */
function packed(cookies: readonly string[], body: Buffer): Buffer {
  const json = Buffer.from(JSON.stringify(cookies));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json, body]);
}

function unpacked(bytes: Buffer): Pick<KeptAnswer, 'cookies' | 'body'> {
  const bodyAt = 4 + bytes.readUInt32BE();
  return { cookies: JSON.parse(bytes.subarray(4, bodyAt).toString()) as string[], body: bytes.subarray(bodyAt) };
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

function encrypted(body: Buffer, request: RepeatableRequest): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, cipherKey(request), nonce);
  return Buffer.concat([nonce, cipher.update(body), cipher.final(), cipher.getAuthTag()]);
}

/** Undefined for one that was encrypted with another SECRET_KEY. */
function decrypted(stored: Buffer, request: RepeatableRequest): Buffer | undefined {
  const decipher = createDecipheriv(CIPHER, cipherKey(request), stored.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(stored.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(stored.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** Who reads the table has neither of the two. */
function cipherKey({ key, secretKey }: RepeatableRequest): Buffer {
  return Buffer.from(hkdfSync('sha256', key, secretKey, 'idempotent answer', 32));
}
