/**
 * What it is: closes the sockets of somebody whose access has ended: a member who was removed, a session that was ended or
 *   has expired, a key that was revoked.
 * What fails without it: a socket is asked who it is once, when it opens. Somebody who was removed this morning goes on
 *   reading in the tab that they left open yesterday, for as long as the process lives.
 * How it works: a ticket that somebody signed in was given names its holder: the person, and the session or the key. Every
 *   ACCESS_CHECK_MS a process asks, in one statement for all of them, which holders still have what they came with. It
 *   closes the sockets of those who do not, with 4003. Somebody whose role has changed is told to connect again, with the
 *   rights of the new one. A process that ends somebody's access says so through Redis (src/redis/access-news.ts), and the
 *   others ask at once. That is only a hint: one that nobody hears, because Redis is away, costs the rest of the interval.
 *   While the database does not answer nobody is closed; there is nothing new to read either.
 * What it costs: a statement per interval while such sockets are open, a map entry for each, a connection to Redis.
 * Its bound: ACCESS_CHECK_MS, ACCESS_CHECK_HOLDERS a statement.
 * Its proof: test/socket/access-watch.test.ts; test/modules/accounts/held-access.test.ts ends each kind of access.
 */
import { createRunAgain } from '../flow/run-again.ts';
import { createSingleFlight } from '../flow/single-flight.ts';
import { ACCESS_CHECK_HOLDERS, ACCESS_CHECK_MS } from '../limits.ts';
import { CLOSE } from './connection.ts';
import type { Holder } from './ticket.ts';

/** What has become of a holder's access. */
export type Access = 'same' | 'changed' | 'ended';

/** In the order of the holders. */
export type ReadAccess = (holders: readonly Holder[]) => Promise<readonly Access[]>;

/** A socket, as far as this needs it. */
export interface HeldSocket {
  send(message: object): void;
  close(code: number, reason: string): void;
  /** Tells it to connect again; `clients` are told so at once. */
  move(clients: number): void;
}

export interface AccessWatch {
  add(socket: HeldSocket, holder: Holder): void;
  remove(socket: HeldSocket): void;
  /** Somebody's access to this organisation has changed, perhaps. */
  heard(orgId: number): void;
  close(): void;
}

export interface AccessWatchOptions {
  readonly read: ReadAccess;
  readonly onError: (error: unknown) => void;
  readonly everyMs?: number;
}

export function watchAccess({ read, onError, everyMs = ACCESS_CHECK_MS }: AccessWatchOptions): AccessWatch {
  /** Several sockets of one holder are one question. */
  const held = new Map<string, { readonly holder: Holder; readonly sockets: Set<HeldSocket> }>();
  const keyOf = new Map<HeldSocket, string>();
  const runAgain = createRunAgain(onError);
  const once = createSingleFlight<void>();

  async function check(keys: readonly string[]): Promise<void> {
    for (let from = 0; from < keys.length; from += ACCESS_CHECK_HOLDERS) {
      const some = keys.slice(from, from + ACCESS_CHECK_HOLDERS).flatMap((key) => held.get(key) ?? []);
      const access = await read(some.map(({ holder }) => holder));
      for (const [nth, { sockets }] of some.entries()) settle([...sockets], access[nth] ?? 'same');
    }
  }

  function settle(sockets: readonly HeldSocket[], access: Access): void {
    if (access === 'same') return;
    for (const socket of sockets) {
      remove(socket);
      if (access === 'changed') socket.move(sockets.length);
      else cutOff(socket);
    }
  }

  function remove(socket: HeldSocket): void {
    const key = keyOf.get(socket);
    if (key === undefined) return;
    keyOf.delete(socket);
    const entry = held.get(key);
    entry?.sockets.delete(socket);
    if (entry?.sockets.size === 0) held.delete(key);
  }

  function checkAll(): void {
    if (held.size > 0) once('all', () => check([...held.keys()])).catch(onError);
  }

  const timer = setInterval(checkAll, everyMs).unref();
  return {
    add(socket, holder) {
      const key = JSON.stringify([holder.orgId, holder.userId, holder.role, holder.sessionId, holder.apiKey]);
      const entry = held.get(key) ?? { holder, sockets: new Set() };
      held.set(key, entry);
      entry.sockets.add(socket);
      keyOf.set(socket, key);
    },
    remove,
    heard(orgId) {
      const keys = [...held].filter(([, { holder }]) => holder.orgId === orgId).map(([key]) => key);
      // What is being read may have been read before this change.
      if (keys.length > 0) runAgain(`of ${orgId}`, () => check(keys));
    },
    close: () => clearInterval(timer),
  };
}

const ENDED = 'Your access has ended. Sign in again.';

function cutOff(socket: HeldSocket): void {
  socket.send({ type: 'error', code: 'unauthenticated', message: ENDED });
  socket.close(CLOSE.accessEnded, ENDED);
}
