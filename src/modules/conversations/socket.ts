import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Database } from '../../db/read-write-split.ts';
import { AppError } from '../../errors.ts';
import { ANSWER_CHARS_MAX, NONCE_CHARS_MAX } from '../../limits.ts';
import type { Metrics } from '../../process/metrics.ts';
import { CLOSE, type Connection, type SocketHandler } from '../../socket/server.ts';
import { createAnswers } from './answers.ts';
import { createOpenings } from './conversations.ts';
import type { Message } from './queries.ts';

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
      // Without the zero byte, which PostgreSQL does not store: an answer that can never be taken must be told so.
      nonce: Type.String({ maxLength: NONCE_CHARS_MAX, pattern: '^[^\\u0000]+$' }),
      body: Type.String({ maxLength: ANSWER_CHARS_MAX, pattern: '^(?=[\\s\\S]*\\S)[^\\u0000]+$' }),
    },
    closed,
  ),
);

interface Room {
  readonly orgId: number;
  readonly id: number;
  readonly connections: Set<Connection>;
}

/**
 * The chat. The client says hello with its link's token and the last seq that it has; it gets what it lacks. An answer
 * is acknowledged after its commit; every message goes to all of the person's open windows, in order of seq.
 */
export function createChatHandler(database: Database, secretKey: string, metrics: Metrics): SocketHandler {
  const openConversation = createOpenings(database, secretKey, metrics);
  const answerQuestion = createAnswers(database, metrics);
  const rooms = new Map<string, Room>();
  const roomOf = new Map<Connection, Room>();

  async function hello(connection: Connection, given: { token: string; lastSeq: number }): Promise<void> {
    const opened = await openConversation(given.token, given.lastSeq).catch((error) => {
      if (error instanceof AppError && (error.code === 'not_found' || error.code === 'gone')) {
        connection.send({ type: 'error', code: error.code, message: error.message });
        connection.close(error.code === 'gone' ? CLOSE.linkExpired : CLOSE.linkNotValid, error.code);
        return undefined;
      }
      throw error;
    });
    if (opened === undefined) return;
    connection.welcomed();
    enter(connection, opened);
    const { name, organisation, campaign, questions, messages, lastSeq, finished } = opened;
    connection.send({ type: 'welcome', name, organisation, campaign, questions, messages, lastSeq, finished });
  }

  function enter(connection: Connection, { orgId, id }: { orgId: number; id: number }): void {
    leave(connection);
    const key = `${orgId}/${id}`;
    const room = rooms.get(key) ?? { orgId, id, connections: new Set() };
    rooms.set(key, room);
    room.connections.add(connection);
    roomOf.set(connection, room);
  }

  function leave(connection: Connection): void {
    const room = roomOf.get(connection);
    if (room === undefined) return;
    roomOf.delete(connection);
    room.connections.delete(connection);
    if (room.connections.size === 0) rooms.delete(`${room.orgId}/${room.id}`);
  }

  async function answer(connection: Connection, given: { nonce: string; body: string }): Promise<void> {
    const room = roomOf.get(connection);
    if (room === undefined) throw new AppError('unauthenticated', 'Say hello first.');
    const answered = await answerQuestion(room, { nonce: given.nonce, body: given.body.trim() });
    connection.send({ type: 'ack', nonce: given.nonce, seq: answered.seq });
    for (const other of room.connections) tell(other, answered.messages, answered.finished);
  }

  return {
    async message(connection, message) {
      if (Hello.Check(message)) return hello(connection, message);
      if (Answer.Check(message)) return answer(connection, message);
      throw new AppError(
        'invalid',
        `Say {"type":"hello","token","lastSeq"} or {"type":"answer","nonce","body"}; an answer has 1 to ${ANSWER_CHARS_MAX} characters.`,
      );
    },
    closed: leave,
  };
}

function tell(connection: Connection, messages: readonly Message[], finished: boolean): void {
  for (const message of messages) connection.send({ type: 'message', ...message });
  if (finished) connection.send({ type: 'finished' });
}
