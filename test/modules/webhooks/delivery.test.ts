import { getEventListeners } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { EVERY_ORGANISATION } from '../../../src/db/tenant-isolation.ts';
import { WEBHOOK_RETRIES_MS } from '../../../src/limits.ts';
import { createLog } from '../../../src/log.ts';
import { createDispatcher } from '../../../src/modules/webhooks/dispatcher.ts';
import { deliverToEndpoints } from '../../../src/modules/webhooks/fan-out.ts';
import {
  WEBHOOK_CALLS_AT_ONCE,
  WEBHOOK_FAILING_MS,
  WEBHOOK_FAILURES_TOLERATED,
  WEBHOOK_TURNS_AT_ONCE,
  WEBHOOK_WAITING_MAX,
} from '../../../src/modules/webhooks/limits.ts';
import { announceEvent } from '../../../src/modules/webhooks/webhooks.ts';
import { relayOutbox } from '../../../src/queue/transactional-outbox.ts';
import { createTestDatabase, type TestDatabase, until } from '../../database.ts';
import { holdTheLoop } from '../../hold-the-loop.ts';
import { addOrganisation } from '../../organisation.ts';
import { openReceiver, type ReceivedWebhook } from '../../webhook-receiver.ts';
import { SECRET_KEY } from '../../worker.ts';
import { addEndpoint, passTime } from './endpoint.ts';

const log = createLog('test', 'silent');
const NOTHING: ReceivedWebhook = { path: '', method: '', headers: {}, body: '' };
const DRAIN_MS = 200;

let on: TestDatabase;
let orgId: number;
beforeAll(async () => {
  on = await createTestDatabase({ replica: false });
});
afterAll(() => on.close());
beforeEach(async () => {
  orgId = await addOrganisation(on.db);
});

describe('an event', () => {
  test('reaches every endpoint that listens to it, signed, with one id, and no other endpoint', async () => {
    const [first, second, deaf, foreign] = [
      await openReceiver(),
      await openReceiver(),
      await openReceiver(),
      await openReceiver(),
    ];
    const one = await addEndpoint(on, orgId, first.url);
    const two = await addEndpoint(on, orgId, second.url, ['member.joined', 'note.written']);
    await addEndpoint(on, orgId, deaf.url, ['member.joined']);
    await addEndpoint(on, await addOrganisation(on.db), foreign.url);
    await announce(7);
    await deliver(async () => {
      const all = await deliveries();
      return all.length === 2 && all.every(({ status }) => status === 'delivered');
    });
    const ids = [one, two].map(({ secret }, index) => {
      const [{ headers, body } = NOTHING] = index === 0 ? first.received : second.received;
      expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toEqual({
        type: 'note.written',
        timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
        data: { noteId: 7 },
      });
      return headers['webhook-id'];
    });
    expect(ids[0]).toMatch(/^msg_[0-9a-f]{32}$/);
    expect(ids[1]).toBe(ids[0]);
    expect([...deaf.received, ...foreign.received]).toEqual([]);
    expect(await deliveries()).toMatchObject([
      { status: 'delivered', attempts: 1, last_status: 204, last_error: null, due_at: null },
      { status: 'delivered', attempts: 1, last_status: 204, last_error: null, due_at: null },
    ]);
  });

  test('is announced by a job of all organisations as well', async () => {
    const receiver = await openReceiver();
    await addEndpoint(on, orgId, receiver.url);
    await on.database.write(EVERY_ORGANISATION, (transaction) =>
      announceEvent(transaction, { orgId, type: 'note.written', data: { noteId: 3 } }),
    );
    await deliver(async () => receiver.received.length === 1);
  });

  test('of a transaction that rolls back reaches nobody', async () => {
    const receiver = await openReceiver();
    await addEndpoint(on, orgId, receiver.url);
    const failing = on.database.write(orgId, async (transaction) => {
      await announceEvent(transaction, { orgId, type: 'note.written', data: { noteId: 1 } });
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    await announce(2);
    await deliver(async () => receiver.received.length === 1);
    expect(receiver.received.map(({ body }) => JSON.parse(body).data)).toEqual([{ noteId: 2 }]);
  });

  test('that nobody listens to is not even kept', async () => {
    const { id } = await addEndpoint(on, orgId, 'https://hooks.example.com/', ['member.joined']);
    await announce(1);
    await on.db
      .updateTable('webhook_endpoints')
      .set({ event_types: ['note.written'], disabled_at: new Date(), disabled_because: 'person' })
      .where('id', '=', id)
      .execute();
    await announce(2);
    expect(await on.db.selectFrom('outbox').where('org_id', '=', orgId).selectAll().execute()).toEqual([]);
  });

  test('with data that is too large is an error of the module, not a message', async () => {
    await addEndpoint(on, orgId, 'https://hooks.example.com/');
    const large = { noteId: 1, text: 'x'.repeat(30_000) };
    const announcing = on.database.write(orgId, (transaction) =>
      announceEvent(transaction, { orgId, type: 'note.written', data: large }),
    );
    await expect(announcing).rejects.toThrow('is too large for a webhook');
  });
});

describe('a delivery that fails', () => {
  test('is made again by the schedule, with the same id and a new signature, until it succeeds', async () => {
    const receiver = await openReceiver(500);
    const { secret } = await addEndpoint(on, orgId, receiver.url);
    await announce();
    await deliver(async () => (await one()).attempts === 1);
    const { dueInMs, ...failed } = await one();
    expect(failed).toMatchObject({ status: 'waiting', last_status: 500, last_error: 'The answer was 500.' });
    expect(dueInMs).toBeGreaterThan(0);
    expect(dueInMs).toBeLessThan(WEBHOOK_RETRIES_MS[0] * 2);
    receiver.answer(200);
    await passTime(on, orgId);
    await deliver(async () => (await one()).status === 'delivered');
    expect(await one()).toMatchObject({ attempts: 2, last_status: 200, last_error: null });
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    for (const { body, headers } of receiver.received)
      expect(() => new Webhook(secret).verify(body, headers as Record<string, string>)).not.toThrow();
  });

  test('to the end of the schedule is given up', async () => {
    const receiver = await openReceiver(503);
    await addEndpoint(on, orgId, receiver.url);
    await announce();
    for (const attempts of Array.from({ length: WEBHOOK_RETRIES_MS.length + 1 }, (_, index) => index + 1)) {
      await deliver(async () => (await one()).attempts === attempts);
      await passTime(on, orgId);
    }
    expect(await one()).toMatchObject({ status: 'dead', due_at: null, last_error: 'The answer was 503.' });
    expect((await endpoint()).due_at).toBeNull();
    expect(receiver.received).toHaveLength(WEBHOOK_RETRIES_MS.length + 1);
  });

  test('because the receiver has asked to wait waits, and so do the others', async () => {
    const receiver = await openReceiver((response) => response.writeHead(429, { 'retry-after': '600' }).end());
    await addEndpoint(on, orgId, receiver.url);
    await announce();
    await deliver(async () => (await one()).attempts === 1);
    expect((await one()).dueInMs).toBeGreaterThan(590_000);
    await until('the turn has ended', async () => (await endpoint()).leased_until === null);
    expect((await endpoint()).heldForMs).toBeGreaterThan(590_000);
    await announce(2);
    await relay();
    expect((await endpoint()).dueInMs).toBeGreaterThan(590_000);
  });

  test('because the address is not public is never made', async () => {
    const receiver = await openReceiver();
    await addEndpoint(on, orgId, receiver.url);
    await announce();
    await deliver(async () => (await one()).attempts === 1, { webhookNetworks: [] });
    expect(receiver.received).toEqual([]);
    expect((await one()).last_error).toContain('The address cannot be called: it ');
  });

  test('because SECRET_KEY is another one says what to do', async () => {
    await addEndpoint(on, orgId, (await openReceiver()).url);
    await announce();
    await deliver(async () => (await one()).attempts === 1, { secretKey: `another ${SECRET_KEY}` });
    expect((await one()).last_error).toBe('The secret cannot be read any more: rotate it.');
  });
});

describe('an endpoint', () => {
  test('that answers 410 is disabled, and the deliveries that wait for it are given up', async () => {
    const receiver = await openReceiver(410);
    await addEndpoint(on, orgId, receiver.url);
    for (let note = 0; note < 20; note++) await announce(note);
    await deliver(async () => (await endpoint()).disabled_at !== null);
    expect(await endpoint()).toMatchObject({ disabled_because: 'gone', due_at: null });
    expect((await deliveries()).map(({ status }) => status)).toEqual(Array(20).fill('dead'));
    expect(receiver.received.length).toBeLessThanOrEqual(WEBHOOK_CALLS_AT_ONCE);
    expect(await audited()).toEqual([{ action: 'webhook.disabled', actor: 'mailer', details: { because: 'gone' } }]);
  });

  test('that has failed for days is disabled', async () => {
    await addEndpoint(on, orgId, (await openReceiver(500)).url);
    await announce();
    await sql`update webhook_endpoints set failures = 9, failing_since = now() - make_interval(secs => ${WEBHOOK_FAILING_MS / 1_000 + 60})
      where org_id = ${orgId}`.execute(on.db);
    await deliver(async () => (await endpoint()).disabled_at !== null);
    expect(await endpoint()).toMatchObject({ disabled_because: 'failing' });
    expect(await one()).toMatchObject({ status: 'dead', last_error: 'The answer was 500. The endpoint was disabled.' });
  });

  test('for which too much waits is disabled, before there is more', async () => {
    const { id } = await addEndpoint(on, orgId, 'https://hooks.example.com/');
    await sql`
      insert into webhook_deliveries (org_id, endpoint_id, message_id, event_type, body)
      select ${orgId}::bigint, ${id}::bigint, 'msg_' || n, 'note.written', '{}' from generate_series(1, ${WEBHOOK_WAITING_MAX}::int) n`.execute(
      on.db,
    );
    await announce();
    await relay();
    expect(await endpoint()).toMatchObject({ disabled_because: 'backlog' });
    const states = await on.db
      .selectFrom('webhook_deliveries')
      .where('org_id', '=', orgId)
      .select(['status', sql<number>`count(*)::int`.as('rows')])
      .groupBy('status')
      .execute();
    expect(states).toEqual([{ status: 'dead', rows: WEBHOOK_WAITING_MAX }]);
  });

  test('that fails again and again is left alone, and then tried with a single call', async () => {
    const receiver = await openReceiver(500);
    await addEndpoint(on, orgId, receiver.url);
    for (let note = 0; note < 20; note++) await announce(note);
    await deliver(async () => (await endpoint()).held_until !== null);
    const calls = receiver.received.length;
    expect(calls).toBeGreaterThan(WEBHOOK_FAILURES_TOLERATED);
    expect(calls).toBeLessThanOrEqual(WEBHOOK_FAILURES_TOLERATED + WEBHOOK_CALLS_AT_ONCE);
    expect((await endpoint()).heldForMs).toBeGreaterThan(0);
    await passTime(on, orgId);
    await deliver(async () => receiver.received.length > calls && (await endpoint()).leased_until === null);
    expect(receiver.received.length).toBe(calls + 1);
    receiver.answer(204);
    await passTime(on, orgId);
    await deliver(async () => (await deliveries()).every(({ status }) => status === 'delivered'));
    expect(await endpoint()).toMatchObject({ failures: 0, failing_since: null, held_until: null, due_at: null });
  });

  test('whose secret was rotated signs with both secrets, for as long as that was said', async () => {
    const receiver = await openReceiver();
    const { id, secret: old } = await addEndpoint(on, orgId, receiver.url);
    const { secret } = await addEndpoint(on, orgId, receiver.url, ['nothing']);
    await sql`update webhook_endpoints e set previous_sealed_secret = e.sealed_secret, previous_until = now() + interval '1 hour', sealed_secret = other.sealed_secret
      from webhook_endpoints other where e.id = ${id} and other.id = ${id} + 1`.execute(on.db);
    await announce();
    await deliver(async () => receiver.received.length === 1);
    const verified = (index: number, by: string) => {
      const { body, headers } = receiver.received[index] ?? { body: '', headers: {} };
      try {
        return new Webhook(by).verify(body, headers as Record<string, string>) !== undefined;
      } catch {
        return false;
      }
    };
    expect([verified(0, old), verified(0, secret)]).toEqual([true, true]);
    await sql`update webhook_endpoints set previous_until = now() where id = ${id}`.execute(on.db);
    await announce();
    await deliver(async () => receiver.received.length === 2);
    expect([verified(1, old), verified(1, secret)]).toEqual([false, true]);
    await until('the old secret is forgotten', async () => (await endpoint()).previous_sealed_secret === null);
  });
});

describe('mailers', () => {
  test('are not held up by endpoints that never answer, however many there are', async () => {
    const silent = await openReceiver(() => undefined);
    const hanging = WEBHOOK_TURNS_AT_ONCE.slow + 10;
    for (let index = 0; index < hanging; index++) await addEndpoint(on, orgId, silent.url);
    await announce();
    await relay();
    await sql`update webhook_endpoints set is_slow = true where org_id = ${orgId}`.execute(on.db);
    let calledMeanwhile = 0;
    const good = await openReceiver((response) => {
      calledMeanwhile = silent.received.length;
      response.writeHead(204).end();
    });
    await addEndpoint(on, orgId, good.url);
    const stop = start();
    await until('the slow ones have their places', () => silent.received.length === WEBHOOK_TURNS_AT_ONCE.slow);
    for (let note = 0; note < 50; note++) await announceOnly(note);
    await relay();
    await until('the others are served', () => good.received.length === 50);
    expect(calledMeanwhile).toBe(WEBHOOK_TURNS_AT_ONCE.slow);
    await stop();
  });

  test('serve an endpoint with one event in between those with an old backlog', async () => {
    const BACKLOG = 48;
    const busy = await openReceiver();
    for (let index = 0; index < WEBHOOK_TURNS_AT_ONCE.fast; index++) await addEndpoint(on, orgId, busy.url, ['old']);
    await sql`
      insert into webhook_deliveries (org_id, endpoint_id, message_id, event_type, body, due_at)
      select org_id, id, 'msg_' || n, 'old', '{}', now() - interval '1 hour'
      from webhook_endpoints, generate_series(1, ${BACKLOG}::int) n where org_id = ${orgId}`.execute(on.db);
    await sql`update webhook_endpoints set due_at = now() - interval '1 hour' where org_id = ${orgId}`.execute(on.db);
    let before = 0;
    const quick = await openReceiver((response) => {
      before = busy.received.length;
      response.writeHead(204).end();
    });
    await addEndpoint(on, orgId, quick.url);
    await announce();
    await deliver(async () => quick.received.length === 1);
    expect(before).toBeLessThan((BACKLOG * WEBHOOK_TURNS_AT_ONCE.fast) / 2);
  });

  test('call one endpoint a few times at once, and no more', async () => {
    const full = Promise.withResolvers<void>();
    let [open, most] = [0, 0];
    const receiver = await openReceiver(async (response) => {
      most = Math.max(most, ++open);
      if (open === WEBHOOK_CALLS_AT_ONCE) full.resolve();
      await full.promise;
      await sleep(20); // as long as one call too many may take to come
      open--;
      response.writeHead(204).end();
    });
    await addEndpoint(on, orgId, receiver.url);
    for (let note = 0; note < 30; note++) await announce(note);
    await deliver(async () => receiver.received.length === 30, {}, 2);
    expect(most).toBe(WEBHOOK_CALLS_AT_ONCE);
  });

  test('share the work: each event arrives once', async () => {
    const receivers = await Promise.all(Array.from({ length: 5 }, () => openReceiver()));
    for (const { url } of receivers) await addEndpoint(on, orgId, url);
    for (let note = 0; note < 20; note++) await announce(note);
    await deliver(async () => (await deliveries()).every(({ status }) => status === 'delivered'), {}, 3);
    for (const { received } of receivers) {
      expect(received).toHaveLength(20);
      expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(20);
    }
  });

  test('that die leave the endpoint to another one, which makes the call again', async () => {
    const receiver = await openReceiver();
    await addEndpoint(on, orgId, receiver.url);
    await announce();
    await relay();
    // What a mailer writes before it calls, and no more.
    await sql`update webhook_endpoints set claim = claim + 1, leased_until = now() + interval '1 minute', due_at = now() + interval '1 minute'
      where org_id = ${orgId}`.execute(on.db);
    await announce(2); // must not wake what somebody has
    const stop = start();
    await relay();
    expect((await endpoint()).dueInMs).toBeGreaterThan(50_000);
    await sql`update webhook_endpoints set leased_until = now(), due_at = now() where org_id = ${orgId}`.execute(on.db);
    await until('both have arrived', () => receiver.received.length === 2);
    await stop();
  });

  test('that wake up after their lease change nothing about the endpoint', async () => {
    const receiver = await openReceiver(410);
    await addEndpoint(on, orgId, receiver.url);
    let answered = () => {};
    receiver.answer((response) => {
      answered = () => void response.writeHead(410).end();
    });
    await announce();
    await relay();
    const stop = start();
    await until('the call is there', () => receiver.received.length === 1);
    await sql`update webhook_endpoints set claim = claim + 1 where org_id = ${orgId}`.execute(on.db);
    answered();
    await until('the attempt is noted', async () => (await one()).attempts === 1);
    await stop();
    expect((await endpoint()).disabled_at).toBeNull();
  });

  test('that are told to stop read an answer that came while the process was held', async () => {
    let call: ServerResponse | undefined;
    const receiver = await openReceiver((response) => {
      call = response;
    });
    await addEndpoint(on, orgId, receiver.url);
    await announce();
    await relay();
    const stop = start();
    await until('the call is there', () => receiver.received.length === 1);
    const stopped = stop();
    await nextTurn();
    call?.writeHead(204).end();
    holdTheLoop(DRAIN_MS * 2); // after which timers run before sockets are read
    await stopped;
    expect(await one()).toMatchObject({ status: 'delivered', attempts: 1 });
  });

  test('that are told to stop interrupt calls without an answer, and the next one makes them again', async () => {
    const receiver = await openReceiver(() => undefined);
    await addEndpoint(on, orgId, receiver.url);
    await announce();
    await relay();
    const stop = start();
    await until('the call is there', () => receiver.received.length === 1);
    await stop();
    expect(await one()).toMatchObject({ status: 'waiting', attempts: 0 });
    expect(await endpoint()).toMatchObject({ leased_until: null, failures: 0 });
    receiver.answer(204);
    await deliver(async () => (await one()).status === 'delivered');
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });
});

test('a run that fails, because the database is away, leaves nothing behind that the next one does not end', async () => {
  const receiver = await openReceiver(() => undefined);
  await addEndpoint(on, orgId, receiver.url);
  await announce();
  await relay();
  let isAway = false;
  const away = new Error('the database is away');
  const primary: typeof on.database.primary = (scope) => {
    if (isAway && scope === EVERY_ORGANISATION) throw away;
    return on.database.primary(scope);
  };
  const config = { webhookNetworks: ['127.0.0.0/8'], secretKey: SECRET_KEY };
  const parts = { database: { ...on.database, primary }, log, config, count: () => undefined };
  const dispatcher = createDispatcher(parts, { drainMs: DRAIN_MS });
  const stopping = new AbortController();
  const failing = dispatcher.run(stopping.signal);
  await until('the call is there', () => receiver.received.length === 1);
  isAway = true;
  await expect(failing).rejects.toBe(away);
  await expect(dispatcher.run(stopping.signal)).rejects.toBe(away);
  expect(getEventListeners(stopping.signal, 'abort')).toEqual([]);
  isAway = false;
  const running = dispatcher.run(stopping.signal);
  stopping.abort();
  await running;
  expect(await one()).toMatchObject({ status: 'waiting', attempts: 0 });
});

async function announceOnly(noteId: number): Promise<void> {
  await on.database.write(orgId, (transaction) =>
    announceEvent(transaction, { orgId, type: 'note.written', data: { noteId } }),
  );
}

const announce = (noteId = 1) => announceOnly(noteId);

const relay = () => relayOutbox(on.database, { 'webhook.event': deliverToEndpoints }, log);

/** Starts mailers; returns how to stop them. */
function start(change: { webhookNetworks?: string[]; secretKey?: string } = {}, mailers = 1): () => Promise<void> {
  const config = { webhookNetworks: ['127.0.0.0/8'], secretKey: SECRET_KEY, ...change };
  const stopping = new AbortController();
  const parts = { database: on.database, log, config, count: () => undefined };
  const running = Array.from({ length: mailers }, () =>
    createDispatcher(parts, { drainMs: DRAIN_MS }).run(stopping.signal),
  );
  const stop = async () => {
    stopping.abort();
    await Promise.all(running);
  };
  onTestFinished(stop);
  return stop;
}

/** Relays, and runs mailers until it holds. */
async function deliver(holds: () => Promise<boolean>, change = {}, mailers = 1): Promise<void> {
  await relay();
  const stop = start(change, mailers);
  await until('it is delivered', holds);
  await stop();
}

function deliveries() {
  return on.db
    .selectFrom('webhook_deliveries')
    .where('org_id', '=', orgId)
    .selectAll()
    .select(sql<number>`extract(epoch from due_at - now())::float8 * 1000`.as('dueInMs'))
    .orderBy('id')
    .execute();
}

async function one() {
  const [first] = await deliveries();
  if (first === undefined) throw new Error('There is no delivery');
  return first;
}

function endpoint() {
  return on.db
    .selectFrom('webhook_endpoints')
    .where('org_id', '=', orgId)
    .selectAll()
    .select([
      sql<number>`extract(epoch from due_at - now())::float8 * 1000`.as('dueInMs'),
      sql<number>`extract(epoch from held_until - now())::float8 * 1000`.as('heldForMs'),
    ])
    .orderBy('id')
    .limit(1)
    .executeTakeFirstOrThrow();
}

function audited() {
  return on.db.selectFrom('audit_log').where('org_id', '=', orgId).select(['action', 'actor', 'details']).execute();
}
