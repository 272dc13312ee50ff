/**
 * The windows that are open on a conversation: those of its employee, and those of people in the dashboard who watch it.
 * A message reaches each of them once and in order of seq, whichever process it was stored by. What another process
 * publishes is only a hint (see fan-out): a window that would have a hole, and every window after a gap, gets what it
 * lacks from the database.
 */
import pLimit from 'p-limit';
import { AppError } from '../../errors.ts';
import { createRunAgain } from '../../flow/run-again.ts';
import { broadcast } from '../../socket/broadcast.ts';
import type { Connection } from '../../socket/connection.ts';
import type { FanOut } from '../../socket/fan-out.ts';
import type { ConversationState, InvitationKey, ReadConversation } from './conversations.ts';
import {
  CATCH_UP_AT_ONCE,
  CATCH_UP_ROOMS,
  PRESENCE_EVERY_MS,
  PRESENCE_STALE_MS,
  WINDOW_RETRY_SECONDS,
  WINDOWS_PER_CONVERSATION_MAX,
} from './limits.ts';
import type { Message } from './queries.ts';

export type Role = 'employee' | 'watcher';

export interface Said {
  readonly messages: readonly Message[];
  readonly finished: boolean;
}

/** One window. */
export interface Member {
  readonly connection: Connection;
  readonly room: Room;
  readonly role: Role;
}

export interface Room {
  readonly key: string;
  readonly invitation: InvitationKey;
  readonly members: Set<Window>;
  /** The other processes on which the employee has a window, with the time at which they said so. */
  readonly elsewhere: Map<string, number>;
  /** When a process on which somebody watches last asked who is there. */
  askedAt: number;
  /** What those who watch were told last. */
  toldPresence: boolean | undefined;
}

interface Window extends Member {
  /** The last message that was sent to it. */
  seq: number;
  finished: boolean;
  /** What to send after its welcome; undefined once it was welcomed. */
  waiting: Said[] | undefined;
}

/** To other processes, as JSON. */
type Published =
  | { readonly kind: 'said'; readonly said: Said }
  | { readonly kind: 'typing'; readonly by: Role; readonly name: string | null }
  | { readonly kind: 'present'; readonly process: string; readonly isHere: boolean }
  | { readonly kind: 'who is there' };

export interface Rooms {
  /**
   * From then on it hears what is said, after its welcome: enter, read the conversation, welcome. Throws `rate_limited`
   * for a window too many.
   */
  enter(connection: Connection, invitation: InvitationKey, role: Role): Promise<Member>;
  /** It has been sent everything up to `lastSeq`. */
  welcomed(member: Member, state: Pick<ConversationState, 'lastSeq' | 'finished'>): void;
  leave(connection: Connection): void;
  of(connection: Connection): Member | undefined;
  /** What was committed, to every window of the conversation. */
  say(invitation: InvitationKey, said: Said): void;
  /** To the others, who may miss it. */
  typing(member: Member, name: string | null): void;
  /** All windows read again what they may have missed. */
  catchUp(): void;
  heard(key: string, text: string): void;
  close(): void;
}

export interface RoomsOptions {
  readonly fanOut: Pick<FanOut, 'join' | 'leave' | 'publish'>;
  /** This process, among the others. */
  readonly process: string;
  readonly read: ReadConversation;
  readonly lastSeqs: (orgId: number, reachOutIds: readonly number[]) => Promise<ReadonlyMap<number, number>>;
  readonly onError: (error: unknown) => void;
}

export function createRooms({ fanOut, process, read, lastSeqs, onError }: RoomsOptions): Rooms {
  const rooms = new Map<string, Room>();
  const windowOf = new Map<Connection, Window>();
  const atOnce = pLimit(CATCH_UP_AT_ONCE);
  const runAgain = createRunAgain(onError);

  async function enter(connection: Connection, invitation: InvitationKey, role: Role): Promise<Member> {
    leave(connection);
    const key = keyOf(invitation);
    if (!connection.join(key, WINDOWS_PER_CONVERSATION_MAX))
      throw new AppError('rate_limited', 'This conversation is open in too many windows. Close some of them.', {
        retryAfterSeconds: WINDOW_RETRY_SECONDS,
      });
    let room = rooms.get(key);
    if (room === undefined) {
      room = {
        key,
        invitation,
        members: new Set(),
        elsewhere: new Map(),
        askedAt: Number.NEGATIVE_INFINITY,
        toldPresence: undefined,
      };
      rooms.set(key, room);
    }
    const window: Window = { connection, room, role, seq: 0, finished: false, waiting: [] };
    room.members.add(window);
    windowOf.set(connection, window);
    await fanOut.join(key);
    return window;
  }

  function welcomed(member: Member, { lastSeq, finished }: Pick<ConversationState, 'lastSeq' | 'finished'>): void {
    const window = member as Window;
    const meanwhile = window.waiting ?? [];
    window.seq = lastSeq;
    window.finished = finished;
    window.waiting = undefined;
    for (const said of meanwhile) deliver(window.room, said, [window]);
    if (window.role === 'employee') announce(window.room);
    else {
      window.room.toldPresence = undefined; // the newcomer does not know yet
      ask(window.room);
    }
  }

  function leave(connection: Connection): void {
    const window = windowOf.get(connection);
    if (window === undefined) return;
    const { room } = window;
    windowOf.delete(connection);
    room.members.delete(window);
    if (window.role === 'employee') announce(room);
    if (room.members.size > 0) return;
    rooms.delete(room.key);
    fanOut.leave(room.key);
  }

  /** To `windows` that have been welcomed; the others get it after their welcome. */
  function deliver(room: Room, said: Said, windows: Iterable<Window> = room.members): void {
    const bytes = new Map<number, Buffer>();
    let hasHole = false;
    for (const window of windows) {
      if (window.waiting !== undefined) {
        window.waiting.push(said);
        continue;
      }
      for (const message of said.messages) {
        if (message.seq <= window.seq) continue;
        if (message.seq > window.seq + 1) {
          hasHole = true;
          break;
        }
        const json = bytes.get(message.seq) ?? Buffer.from(JSON.stringify({ type: 'message', ...message }));
        bytes.set(message.seq, json);
        window.connection.sendJson(json);
        window.seq = message.seq;
      }
      const last = said.messages.at(-1)?.seq ?? window.seq;
      if (!said.finished || window.finished || window.seq < last) continue;
      window.finished = true;
      window.connection.send({ type: 'finished' });
    }
    if (hasHole) void fill(room).catch(onError);
  }

  /** From the database, what the windows of a room lack. */
  async function fill(room: Room): Promise<void> {
    const seqs = [...room.members].filter(({ waiting }) => waiting === undefined).map(({ seq }) => seq);
    if (seqs.length > 0) deliver(room, await read(room.invitation, Math.min(...seqs)));
  }

  /** Most have missed nothing, so their last seqs are compared first. */
  async function catchUp(): Promise<void> {
    const byOrganisation = Map.groupBy(rooms.values(), ({ invitation }) => invitation.orgId);
    for (const [orgId, own] of byOrganisation) {
      for (let from = 0; from < own.length; from += CATCH_UP_ROOMS) {
        const some = own.slice(from, from + CATCH_UP_ROOMS);
        const seqs = await lastSeqs(
          orgId,
          some.map(({ invitation }) => invitation.reachOutId),
        );
        const behind = some.filter(({ members, invitation }) =>
          [...members].some(
            ({ waiting, seq }) => waiting === undefined && seq < (seqs.get(invitation.reachOutId) ?? 0),
          ),
        );
        await Promise.all(behind.map((room) => atOnce(() => fill(room))));
      }
    }
  }

  function heard(key: string, text: string): void {
    const room = rooms.get(key);
    if (room === undefined) return;
    const published = JSON.parse(text) as Published;
    if (published.kind === 'said') deliver(room, published.said);
    else if (published.kind === 'typing') tellTyping(room, published.by, published.name);
    else if (published.kind === 'who is there') {
      room.askedAt = performance.now();
      announce(room);
    } else {
      if (published.isHere) room.elsewhere.set(published.process, performance.now());
      else room.elsewhere.delete(published.process);
      tellPresence(room);
    }
  }

  /** Whether the employee is there, to those who watch: here, and where somebody has asked lately. */
  function announce(room: Room): void {
    const isAsked = performance.now() - room.askedAt < PRESENCE_STALE_MS;
    if (isAsked) publish(room.key, { kind: 'present', process, isHere: isHere(room) });
    tellPresence(room);
  }

  /** Those who watch want to know; a process that has ended cannot say that it did. */
  function ask(room: Room): void {
    const now = performance.now();
    for (const [other, at] of room.elsewhere) if (now - at > PRESENCE_STALE_MS) room.elsewhere.delete(other);
    publish(room.key, { kind: 'who is there' });
    tellPresence(room);
  }

  function tellPresence(room: Room): void {
    const isThere = isHere(room) || room.elsewhere.size > 0;
    if (isThere === room.toldPresence) return;
    room.toldPresence = isThere;
    broadcast(connectionsOf(room, 'watcher'), { type: 'present', isThere });
  }

  function tellTyping(room: Room, by: Role, name: string | null): void {
    broadcast(connectionsOf(room, by === 'employee' ? 'watcher' : 'employee'), { type: 'typing', name });
  }

  function publish(key: string, published: Published): void {
    fanOut.publish(key, JSON.stringify(published), { mayBeLost: published.kind !== 'said' });
  }

  const asking = setInterval(() => {
    for (const room of rooms.values()) if (hasWatcher(room)) ask(room);
  }, PRESENCE_EVERY_MS);

  return {
    enter,
    welcomed,
    leave,
    of: (connection) => windowOf.get(connection),
    say(invitation, said) {
      const key = keyOf(invitation);
      const room = rooms.get(key);
      if (room !== undefined) deliver(room, said);
      publish(key, { kind: 'said', said });
    },
    typing({ room, role }, name) {
      tellTyping(room, role, name);
      publish(room.key, { kind: 'typing', by: role, name });
    },
    catchUp: () => runAgain('all', catchUp),
    heard,
    close: () => clearInterval(asking),
  };
}

function keyOf({ orgId, reachOutId }: InvitationKey): string {
  return `${orgId}.${reachOutId}`;
}

function isHere({ members }: Room): boolean {
  return members.values().some(({ role }) => role === 'employee');
}

function hasWatcher({ members }: Room): boolean {
  return members.values().some(({ role }) => role === 'watcher');
}

/** Of those that have been welcomed. */
function connectionsOf({ members }: Room, role: Role): Connection[] {
  return [...members]
    .filter((window) => window.role === role && window.waiting === undefined)
    .map(({ connection }) => connection);
}
