import { on, once } from 'node:events';
import WebSocket from 'ws';
import { PLAIN } from '../../../web/modules/conversations/environment.js';
import { answerFrame, helloFrame, type Message, protocolsOf } from '../../../web/modules/conversations/protocol.js';
import type { Counters } from '../../counters/budgets.ts';
import { databaseUse, usedSince } from '../../counters/database-use.ts';
import { round } from '../../numbers.ts';

const FRAME_MS_MAX = 5_000;
const BODY = 'It was a good week: the new line runs, and everybody helped.';

/** One check-in from the first word to the last: what the welcome costs, and each answer, of which the first begins it. */
export async function countAnswers(chatUrl: string, token: string): Promise<Counters> {
  const url = `${chatUrl.replace('http', 'ws')}/chat`;
  const answer = await PLAIN.requestTicket(url, token, AbortSignal.timeout(FRAME_MS_MAX));
  if (!('ticket' in answer)) throw new Error(`the chat gives no ticket: ${answer.message}`);
  const socket = new WebSocket(url, protocolsOf(answer.ticket));
  const frames = on(socket, 'message', { signal: AbortSignal.timeout(FRAME_MS_MAX), close: ['close'] });
  let bytes = 0;
  let questionSeq = 0;
  const heard = async (type: string): Promise<{ questions?: number }> => {
    for (;;) {
      const { value, done } = await frames.next();
      if (done) throw new Error(`the chat closed the connection before it said ${type}`);
      const text = String(value[0]);
      bytes += Buffer.byteLength(text);
      const frame = JSON.parse(text) as { type: string; message?: string; questions?: number; messages?: Message[] };
      const asked = [frame as unknown as Message, ...(frame.messages ?? [])].findLast(({ sender }) => sender === 'bot');
      questionSeq = asked?.seq ?? questionSeq;
      if (frame.type === 'error') throw new Error(`the chat says: ${frame.message}`);
      if (frame.type === type) return frame;
    }
  };
  try {
    await once(socket, 'open');
    const atFirst = await databaseUse(chatUrl);
    socket.send(JSON.stringify(helloFrame(0)));
    const { questions = 0 } = await heard('welcome');
    const welcomed = await databaseUse(chatUrl);
    const counters = { 'welcome: queries': usedSince(atFirst, welcomed).queries, 'welcome: bytes': bytes };
    bytes = 0;
    for (let nth = 0; nth < questions; nth++) {
      socket.send(JSON.stringify(answerFrame(`counted-${nth}`, { questionSeq, text: BODY })));
      await heard('ack');
      await heard('message'); // the answer
      await heard('message'); // the next question
    }
    await heard('finished');
    const used = usedSince(welcomed, await databaseUse(chatUrl));
    return {
      ...counters,
      'answer: queries': round(used.queries / questions, 2),
      'answer: bytes': Math.round(bytes / questions),
    };
  } finally {
    socket.terminate();
  }
}
