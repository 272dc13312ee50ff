import { randomUUID } from 'node:crypto';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { AppError } from '../../errors.ts';
import { createLogStorm } from '../../flow/log-storm.ts';
import { CLOSE, type Connection, type SocketHandler } from '../../socket/connection.ts';
import { createFanOut } from '../../socket/fan-out.ts';
import { createTicketDesk } from '../../socket/ticket.ts';
import type { SocketContext, Sockets } from '../faces.ts';
import { readAnswerText } from './answer-content.ts';
import { createAnswers, type GivenAnswer } from './answers.ts';
import { CHATTING, type ChatGrants, canSay, type Watcher } from './chat-tickets.ts';
import {
  type ConversationState,
  createBeginnings,
  createOpenings,
  createReadings,
  type InvitationKey,
  lastSeqsOf,
  readInvitation,
} from './conversations.ts';
import { CHOICE_MAX, NONCE_CHARS_MAX, TYPING_EVERY_MS } from './limits.ts';
import { createRooms, type Member, type Role, type Rooms } from './rooms.ts';
import { stepIn } from './step-in.ts';

type ChatConnection = Connection<ChatGrants>;

const SEQ_MAX = 1_000_000;
const closed = { additionalProperties: false } as const;
const lastSeq = Type.Integer({ minimum: 0, maximum: SEQ_MAX });
// No NUL character, which PostgreSQL cannot store: the client must learn that this will never be accepted.
const nonce = Type.String({ maxLength: NONCE_CHARS_MAX, pattern: '^[^\\u0000]+$' });

const Hello = Compile(
  Type.Object(
    {
      type: Type.Literal('hello'),
      version: Type.Optional(Type.Integer({ minimum: 1 })), // of the protocol; there is one so far
      lastSeq,
    },
    closed,
  ),
);
const Seen = Compile(Type.Object({ type: Type.Literal('seen') }, closed));
// The text is checked by readAnswerText, which says what is wrong with it.
const answer = {
  type: Type.Literal('answer'),
  nonce,
  questionSeq: Type.Integer({ minimum: 1, maximum: SEQ_MAX }),
};
const TextAnswer = Compile(Type.Object({ ...answer, text: Type.String() }, closed));
const ScaleAnswer = Compile(
  Type.Object({ ...answer, choice: Type.Integer({ minimum: 1, maximum: CHOICE_MAX }) }, closed),
);
const Remark = Compile(Type.Object({ type: Type.Literal('say'), nonce, text: Type.String() }, closed));
const Typing = Compile(Type.Object({ type: Type.Literal('typing') }, closed));

const FRAMES =
  `Send {"type":"hello","lastSeq"}, {"type":"seen"}, {"type":"typing"}, or {"type":"answer","nonce","questionSeq"} ` +
  `with "text" or, to a question with a scale, "choice" (1 to ${CHOICE_MAX}).`;

export function sockets(context: SocketContext): Sockets {
  const { config, redis } = context;
  return {
    ...{ path: '/chat', ...createChatHandler(context) },
    pages: { '/c/': '/modules/conversations/chat.html' },
    ticketing: {
      desk: createTicketDesk<ChatGrants>({
        secretKey: config.secretKey,
        purpose: CHATTING,
        remember: async (id, ms) => (await redis.set(`tardigrade:ticket:${id}`, '1', 'PX', ms, 'NX')) === 'OK',
      }),
      grantsOf: (token): ChatGrants => ({ invitation: readInvitation(config.secretKey, token) }),
      linkOf: ({ invitation: { orgId, reachOutId }, watcher }) => `${orgId} ${reachOutId} ${watcher?.name ?? ''}`,
      holderOf: ({ watcher }: ChatGrants) => watcher && { ...watcher.actor, role: watcher.role },
    },
  };
}

/**
 * The chat. The client comes with a ticket, which says whose conversation it is (see chat-tickets). It sends hello with
 * the last seq that it has, and gets the messages after that. It sends seen once a person has given a sign, which begins
 * the conversation. An answer says which question it answers, and is acknowledged after its commit; every message goes to
 * all windows of the conversation, in order of seq, on whichever process they are.
 *
 * Somebody of the people team says hello with a ticket of their own, hears the same, and may say something.
 */
function createChatHandler({ log, database, redis, metrics }: SocketContext): {
  handler: SocketHandler<ChatGrants>;
  othersSince(): number;
  close(): void;
} {
  const openConversation = createOpenings(database, metrics);
  const beginConversation = createBeginnings(database, metrics);
  const answerQuestion = createAnswers(database, metrics);
  const readConversation = createReadings(database);
  const failed = createLogStorm((fields, text) => log.error(fields, text), 'windows could not catch up');
  const fanOut = createFanOut({
    redis,
    name: 'tardigrade:chat',
    onMessage: (key, text) => rooms.heard(key, text),
    onGap: () => rooms.catchUp(),
    metrics,
  });
  const rooms: Rooms = createRooms({
    fanOut,
    process: randomUUID(),
    read: readConversation,
    lastSeqs: (orgId, reachOutIds) => lastSeqsOf(database, orgId, reachOutIds),
    onError: failed,
  });
  const typedAt = new WeakMap<Connection, number>();

  function hello(connection: ChatConnection, given: { lastSeq: number }): Promise<void> {
    const { invitation, watcher } = connection.grants;
    return watcher === undefined
      ? welcome(connection, invitation, given.lastSeq)
      : watch(connection, invitation, watcher, given.lastSeq);
  }

  async function welcome(connection: ChatConnection, invitation: InvitationKey, lastSeq: number): Promise<void> {
    try {
      const member = await rooms.enter(connection, invitation, 'employee');
      const opened = await openConversation(invitation, lastSeq);
      connection.welcomed();
      const { orgId: _, reachOutId: __, ...welcome } = opened;
      const fromSeq = resyncFrom(lastSeq, opened);
      if (fromSeq !== undefined) connection.send({ type: 'resync', fromSeq });
      connection.send({ type: 'welcome', ...welcome });
      rooms.welcomed(member, opened);
    } catch (error) {
      rooms.leave(connection);
      if (!(error instanceof AppError) || (error.code !== 'not_found' && error.code !== 'gone')) throw error;
      connection.send({ type: 'error', code: error.code, message: error.message });
      connection.close(error.code === 'gone' ? CLOSE.linkExpired : CLOSE.linkNotValid, error.code);
    }
  }

  async function watch(
    connection: ChatConnection,
    invitation: InvitationKey,
    watcher: Watcher,
    afterSeq: number,
  ): Promise<void> {
    const member = await rooms.enter(connection, invitation, 'watcher');
    const { messages, lastSeq, finished } = await readConversation(invitation, afterSeq).catch((error) => {
      rooms.leave(connection);
      throw error;
    });
    connection.welcomed();
    connection.send({ type: 'watching', messages, lastSeq, finished, canSay: canSay(watcher) });
    rooms.welcomed(member, { lastSeq, finished });
  }

  function memberOf(connection: Connection, role: Role): Member {
    const member = rooms.of(connection);
    if (member?.role === role) return member;
    throw new AppError('unauthenticated', 'Send hello first.');
  }

  async function answerFrom(connection: Connection, given: GivenAnswer): Promise<void> {
    const { invitation } = memberOf(connection, 'employee').room;
    const answered = await answerQuestion(invitation, given);
    connection.send({ type: 'ack', nonce: given.nonce, seq: answered.seq });
    rooms.say(invitation, { messages: answered.messages, finished: answered.finished });
  }

  async function sayFrom(connection: ChatConnection, given: { nonce: string; text: string }): Promise<void> {
    const { invitation } = memberOf(connection, 'watcher').room;
    const { watcher } = connection.grants;
    if (watcher === undefined || !canSay(watcher))
      throw new AppError('forbidden', 'You can read this conversation, but not write in it.');
    const text = readAnswerText(given.text);
    const { name: author, actor } = watcher;
    const { seq, messages, finished } = await stepIn(database, invitation, { ...given, text, author, actor });
    connection.send({ type: 'ack', nonce: given.nonce, seq });
    rooms.say(invitation, { messages, finished });
  }

  function typing(connection: ChatConnection): void {
    const member = rooms.of(connection);
    if (member === undefined) throw new AppError('unauthenticated', 'Send hello first.');
    const now = performance.now();
    if (now - (typedAt.get(connection) ?? Number.NEGATIVE_INFINITY) < TYPING_EVERY_MS) return;
    typedAt.set(connection, now);
    rooms.typing(member, connection.grants.watcher?.name ?? null);
  }

  const handler: SocketHandler<ChatGrants> = {
    async message(connection, message) {
      if (Hello.Check(message)) return hello(connection, message);
      if (Seen.Check(message)) return beginConversation(memberOf(connection, 'employee').room.invitation);
      if (Typing.Check(message)) return typing(connection);
      if (TextAnswer.Check(message)) {
        const { nonce, questionSeq, text } = message;
        return answerFrom(connection, { nonce, questionSeq, content: { text: readAnswerText(text) } });
      }
      if (ScaleAnswer.Check(message)) {
        const { nonce, questionSeq, choice } = message;
        return answerFrom(connection, { nonce, questionSeq, content: { choice } });
      }
      if (Remark.Check(message)) return sayFrom(connection, message);
      throw new AppError('invalid', FRAMES);
    },
    closed: rooms.leave,
  };
  return {
    handler,
    othersSince: fanOut.othersSince,
    close() {
      rooms.close();
      fanOut.close();
    },
  };
}

/**
 * The seq that the client has to start from, when the messages do not follow on those that it has: it missed more than
 * is repeated, or has more than there is, as after a restored backup.
 */
function resyncFrom(lastSeq: number, { messages, lastSeq: newest }: ConversationState): number | undefined {
  const first = messages[0]?.seq ?? newest + 1;
  return first > lastSeq + 1 || lastSeq > newest ? first : undefined;
}
