import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Database } from '../../db/read-write-split.ts';
import { AppError } from '../../errors.ts';
import type { Metrics } from '../../process/metrics.ts';
import { CLOSE, type Connection, type SocketHandler } from '../../socket/server.ts';
import type { SocketContext, Sockets } from '../faces.ts';
import { type Answered, createAnswers } from './answers.ts';
import { createOpenings } from './conversations.ts';
import { ANSWER_CHARS_MAX, NONCE_CHARS_MAX, WINDOW_RETRY_SECONDS, WINDOWS_PER_LINK_MAX } from './limits.ts';

const closed = { additionalProperties: false } as const;

const Hello = Compile(
  Type.Object(
    {
      type: Type.Literal('hello'),
      token: Type.String({ maxLength: 100 }),
      lastSeq: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
    },
    closed,
  ),
);

const Answer = Compile(
  Type.Object(
    {
      type: Type.Literal('answer'),
      // No NUL character, which PostgreSQL cannot store: the client must learn that this answer will never be accepted.
      nonce: Type.String({ maxLength: NONCE_CHARS_MAX, pattern: '^[^\\u0000]+$' }),
      body: Type.String({ maxLength: ANSWER_CHARS_MAX, pattern: '^(?=[\\s\\S]*\\S)[^\\u0000]+$' }),
    },
    closed,
  ),
);

/** The windows that one person has open for one reach-out. */
interface Room {
  readonly key: string;
  readonly connections: Set<Connection>;
  /** Set by the first welcome. */
  conversation?: { readonly orgId: number; readonly id: number };
}

type Said = Pick<Answered, 'messages' | 'finished'>;

export function sockets({ config, database, metrics }: SocketContext): Sockets {
  return {
    path: '/chat',
    handler: createChatHandler(database, config.secretKey, metrics),
    pages: { '/c/': '/modules/conversations/chat.html' },
  };
}

/**
 * The chat. The client sends hello with its link's token and the last seq that it has, and gets the messages after
 * that. An answer is acknowledged after its commit; every message goes to all of the person's open windows, in order of
 * seq.
 *
 * A window joins its room before its conversation is read, and messages that arrive meanwhile are sent after its
 * welcome: otherwise it would miss an answer that is committed in between.
 */
export function createChatHandler(database: Database, secretKey: string, metrics: Metrics): SocketHandler {
  const openConversation = createOpenings(database, secretKey, metrics);
  const answerQuestion = createAnswers(database, metrics);
  const rooms = new Map<string, Room>();
  const roomOf = new Map<Connection, Room>();
  /** Windows that have not been welcomed yet, and what to send them after the welcome. */
  const opening = new Map<Connection, Said[]>();

  async function hello(connection: Connection, given: { token: string; lastSeq: number }): Promise<void> {
    const room = enter(connection, given.token);
    const meanwhile: Said[] = [];
    opening.set(connection, meanwhile);
    const opened = await openConversation(given.token, given.lastSeq).catch((error) => {
      leave(connection);
      if (error instanceof AppError && (error.code === 'not_found' || error.code === 'gone')) {
        connection.send({ type: 'error', code: error.code, message: error.message });
        connection.close(error.code === 'gone' ? CLOSE.linkExpired : CLOSE.linkNotValid, error.code);
        return undefined;
      }
      throw error;
    });
    if (opened === undefined) return;
    opening.delete(connection);
    connection.welcomed();
    const { orgId, id, name, organisation, campaign, questions, messages, lastSeq, finished } = opened;
    room.conversation = { orgId, id };
    connection.send({ type: 'welcome', name, organisation, campaign, questions, messages, lastSeq, finished });
    for (const said of meanwhile)
      tell(connection, { ...said, messages: said.messages.filter((message) => message.seq > lastSeq) });
  }

  /** One room per link. A link that we did not issue gets a room too, until it is rejected. */
  function enter(connection: Connection, token: string): Room {
    leave(connection);
    if (!connection.join(token, WINDOWS_PER_LINK_MAX))
      throw new AppError('rate_limited', 'This link is open in too many windows. Close some of them.', {
        retryAfterSeconds: WINDOW_RETRY_SECONDS,
      });
    const room = rooms.get(token) ?? { key: token, connections: new Set() };
    rooms.set(token, room);
    room.connections.add(connection);
    roomOf.set(connection, room);
    return room;
  }

  function leave(connection: Connection): void {
    opening.delete(connection);
    const room = roomOf.get(connection);
    if (room === undefined) return;
    roomOf.delete(connection);
    room.connections.delete(connection);
    if (room.connections.size === 0) rooms.delete(room.key);
  }

  async function answer(connection: Connection, given: { nonce: string; body: string }): Promise<void> {
    const room = roomOf.get(connection);
    if (room?.conversation === undefined) throw new AppError('unauthenticated', 'Send hello first.');
    const answered = await answerQuestion(room.conversation, { nonce: given.nonce, body: given.body.trim() });
    connection.send({ type: 'ack', nonce: given.nonce, seq: answered.seq });
    // Looks the room up again: the person may have reconnected meanwhile.
    for (const other of rooms.get(room.key)?.connections ?? []) {
      const waiting = opening.get(other);
      if (waiting === undefined) tell(other, answered);
      else waiting.push(answered);
    }
  }

  return {
    async message(connection, message) {
      if (Hello.Check(message)) return hello(connection, message);
      if (Answer.Check(message)) return answer(connection, message);
      throw new AppError(
        'invalid',
        `Send {"type":"hello","token","lastSeq"} or {"type":"answer","nonce","body"}; an answer can have 1 to ${ANSWER_CHARS_MAX} characters.`,
      );
    },
    closed: leave,
  };
}

function tell(connection: Connection, { messages, finished }: Said): void {
  for (const message of messages) connection.send({ type: 'message', ...message });
  if (finished) connection.send({ type: 'finished' });
}
