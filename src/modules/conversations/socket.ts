import { randomUUID } from 'node:crypto';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { AppError } from '../../errors.ts';
import { createLogStorm } from '../../flow/log-storm.ts';
import { createFanOut } from '../../socket/fan-out.ts';
import { CLOSE, type Connection, type SocketHandler } from '../../socket/server.ts';
import { createTicketDesk, type TicketDesk } from '../../socket/ticket.ts';
import type { SocketContext, Sockets } from '../faces.ts';
import { readAnswerText } from './answer-content.ts';
import { createAnswers, type GivenAnswer } from './answers.ts';
import {
  type ConversationState,
  createBeginnings,
  createOpenings,
  createReadings,
  lastSeqsOf,
  readInvitation,
} from './conversations.ts';
import { CHOICE_MAX, NONCE_CHARS_MAX, TYPING_EVERY_MS } from './limits.ts';
import { createRooms, type Member, type Role, type Rooms } from './rooms.ts';
import { stepIn } from './step-in.ts';
import { WATCHING, type WatchGrants } from './watching.ts';

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
      token: Type.String({ maxLength: 100 }),
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
const Watch = Compile(Type.Object({ type: Type.Literal('watch'), ticket: Type.String(), lastSeq }, closed));
const Remark = Compile(Type.Object({ type: Type.Literal('say'), nonce, text: Type.String() }, closed));
const Typing = Compile(Type.Object({ type: Type.Literal('typing') }, closed));

const FRAMES =
  `Send {"type":"hello","token","lastSeq"}, {"type":"seen"}, {"type":"typing"}, or {"type":"answer","nonce","questionSeq"} ` +
  `with "text" or, to a question with a scale, "choice" (1 to ${CHOICE_MAX}).`;

export function sockets(context: SocketContext): Sockets {
  const { handler, close } = createChatHandler(context);
  return { path: '/chat', handler, pages: { '/c/': '/modules/conversations/chat.html' }, close };
}

/**
 * The chat. The client sends hello with its link's token and the last seq that it has, and gets the messages after
 * that. It sends seen once a person has given a sign, which begins the conversation. An answer says which question it
 * answers, and is acknowledged after its commit; every message goes to all windows of the conversation, in order of
 * seq, on whichever process they are.
 *
 * Somebody of the people team sends watch with a ticket instead of hello (see watching), hears the same, and may say
 * something.
 */
function createChatHandler({ config, log, database, redis, metrics }: SocketContext): {
  handler: SocketHandler;
  close(): void;
} {
  const openConversation = createOpenings(database, metrics);
  const beginConversation = createBeginnings(database, metrics);
  const answerQuestion = createAnswers(database, metrics);
  const readConversation = createReadings(database);
  const tickets: TicketDesk<WatchGrants> = createTicketDesk({
    secretKey: config.secretKey,
    purpose: WATCHING,
    remember: async (id, ms) => (await redis.set(`tardigrade:ticket:${id}`, '1', 'PX', ms, 'NX')) === 'OK',
  });
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
  const watchers = new WeakMap<Member, WatchGrants>();
  const typedAt = new WeakMap<Connection, number>();

  async function hello(connection: Connection, given: { token: string; lastSeq: number }): Promise<void> {
    try {
      const invitation = readInvitation(config.secretKey, given.token);
      const member = await rooms.enter(connection, invitation, 'employee');
      const opened = await openConversation(invitation, given.lastSeq);
      connection.welcomed();
      const { orgId: _, reachOutId: __, ...welcome } = opened;
      const fromSeq = resyncFrom(given.lastSeq, opened);
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

  async function watch(connection: Connection, given: { ticket: string; lastSeq: number }): Promise<void> {
    const grants = await tickets.redeem(given.ticket);
    if (grants === undefined)
      throw new AppError('unauthenticated', 'This ticket is not valid any more. Get a new one.');
    const member = await rooms.enter(connection, grants.invitation, 'watcher');
    const { messages, lastSeq, finished } = await readConversation(grants.invitation, given.lastSeq).catch((error) => {
      rooms.leave(connection);
      throw error;
    });
    watchers.set(member, grants);
    connection.welcomed();
    connection.send({ type: 'watching', messages, lastSeq, finished, canSay: grants.canSay });
    rooms.welcomed(member, { lastSeq, finished });
  }

  function memberOf(connection: Connection, role: Role): Member {
    const member = rooms.of(connection);
    if (member?.role === role) return member;
    throw new AppError('unauthenticated', role === 'employee' ? 'Send hello first.' : 'Send watch first.');
  }

  async function answerFrom(connection: Connection, given: GivenAnswer): Promise<void> {
    const { invitation } = memberOf(connection, 'employee').room;
    const answered = await answerQuestion(invitation, given);
    connection.send({ type: 'ack', nonce: given.nonce, seq: answered.seq });
    rooms.say(invitation, { messages: answered.messages, finished: answered.finished });
  }

  async function sayFrom(connection: Connection, given: { nonce: string; text: string }): Promise<void> {
    const member = memberOf(connection, 'watcher');
    const grants = watchers.get(member);
    if (grants === undefined || !grants.canSay)
      throw new AppError('forbidden', 'You can read this conversation, but not write in it.');
    const { invitation } = member.room;
    const text = readAnswerText(given.text);
    const { seq, messages, finished } = await stepIn(database, invitation, { ...given, text, author: grants.name });
    connection.send({ type: 'ack', nonce: given.nonce, seq });
    rooms.say(invitation, { messages, finished });
  }

  function typing(connection: Connection): void {
    const member = rooms.of(connection);
    if (member === undefined) throw new AppError('unauthenticated', 'Send hello first.');
    const now = performance.now();
    if (now - (typedAt.get(connection) ?? Number.NEGATIVE_INFINITY) < TYPING_EVERY_MS) return;
    typedAt.set(connection, now);
    rooms.typing(member, watchers.get(member)?.name ?? null);
  }

  const handler: SocketHandler = {
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
      if (Watch.Check(message)) return watch(connection, message);
      if (Remark.Check(message)) return sayFrom(connection, message);
      throw new AppError('invalid', FRAMES);
    },
    closed: rooms.leave,
  };
  return {
    handler,
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
