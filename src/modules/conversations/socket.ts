import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Database } from '../../db/read-write-split.ts';
import { AppError } from '../../errors.ts';
import type { Metrics } from '../../process/metrics.ts';
import { CLOSE, type Connection, type SocketHandler } from '../../socket/server.ts';
import type { SocketContext, Sockets } from '../faces.ts';
import { readAnswerText } from './answer-content.ts';
import { type Answered, createAnswers, type GivenAnswer } from './answers.ts';
import { createBeginnings, createOpenings } from './conversations.ts';
import { CHOICE_MAX, NONCE_CHARS_MAX } from './limits.ts';

const SEQ_MAX = 1_000_000;
const closed = { additionalProperties: false } as const;

const Hello = Compile(
  Type.Object(
    {
      type: Type.Literal('hello'),
      token: Type.String({ maxLength: 100 }),
      lastSeq: Type.Integer({ minimum: 0, maximum: SEQ_MAX }),
    },
    closed,
  ),
);

const Seen = Compile(Type.Object({ type: Type.Literal('seen') }, closed));

// The text is checked by readAnswerText, which says what is wrong with it.
const answer = {
  type: Type.Literal('answer'),
  // No NUL character, which PostgreSQL cannot store: the client must learn that this answer will never be accepted.
  nonce: Type.String({ maxLength: NONCE_CHARS_MAX, pattern: '^[^\\u0000]+$' }),
  questionSeq: Type.Integer({ minimum: 1, maximum: SEQ_MAX }),
};
const TextAnswer = Compile(Type.Object({ ...answer, text: Type.String() }, closed));
const ScaleAnswer = Compile(
  Type.Object({ ...answer, choice: Type.Integer({ minimum: 1, maximum: CHOICE_MAX }) }, closed),
);

/** The windows that one person has open for one reach-out. */
interface Room {
  readonly key: string;
  readonly connections: Set<Connection>;
  /** Set by the first welcome. */
  invitation?: { readonly orgId: number; readonly reachOutId: number };
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
 * that. It sends seen once a person has given a sign, which begins the conversation. An answer says which question it
 * answers, and is acknowledged after its commit; every message goes to all of the person's open windows, in order of
 * seq.
 *
 * A window joins its room before its conversation is read, and messages that arrive meanwhile are sent after its
 * welcome: otherwise it would miss an answer that is committed in between.
 */
export function createChatHandler(database: Database, secretKey: string, metrics: Metrics): SocketHandler {
  const openConversation = createOpenings(database, secretKey, metrics);
  const beginConversation = createBeginnings(database, metrics);
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
    const { orgId, reachOutId, ...welcome } = opened;
    room.invitation = { orgId, reachOutId };
    connection.send({ type: 'welcome', ...welcome });
    for (const said of meanwhile)
      tell(connection, { ...said, messages: said.messages.filter((message) => message.seq > welcome.lastSeq) });
  }

  /** One room per link. A link that we did not issue gets a room too, until it is rejected. */
  function enter(connection: Connection, token: string): Room {
    leave(connection);
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

  function roomWelcomed(connection: Connection) {
    const room = roomOf.get(connection);
    if (room?.invitation === undefined) throw new AppError('unauthenticated', 'Send hello first.');
    return { room, invitation: room.invitation };
  }

  async function answer(connection: Connection, given: GivenAnswer): Promise<void> {
    const { room, invitation } = roomWelcomed(connection);
    const answered = await answerQuestion(invitation, given);
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
      if (Seen.Check(message)) return beginConversation(roomWelcomed(connection).invitation);
      if (TextAnswer.Check(message)) {
        const { nonce, questionSeq, text } = message;
        return answer(connection, { nonce, questionSeq, content: { text: readAnswerText(text) } });
      }
      if (ScaleAnswer.Check(message)) {
        const { nonce, questionSeq, choice } = message;
        return answer(connection, { nonce, questionSeq, content: { choice } });
      }
      throw new AppError(
        'invalid',
        `Send {"type":"hello","token","lastSeq"}, {"type":"seen"}, or {"type":"answer","nonce","questionSeq"} with "text" or, to a question with a scale, "choice" (1 to ${CHOICE_MAX}).`,
      );
    },
    closed: leave,
  };
}

function tell(connection: Connection, { messages, finished }: Said): void {
  for (const message of messages) connection.send({ type: 'message', ...message });
  if (finished) connection.send({ type: 'finished' });
}
