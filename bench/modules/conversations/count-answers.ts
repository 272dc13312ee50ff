import { on, once } from 'node:events';
import WebSocket from 'ws';
import type { Counters } from '../../counters/budgets.ts';
import { databaseUse, usedSince } from '../../counters/database-use.ts';
import { round } from '../../numbers.ts';

const FRAME_MS_MAX = 5_000;
const BODY = 'It was a good week: the new line runs, and everybody helped.';

/** One check-in from the first word to the last: what the welcome costs, and each answer, of which the first begins it. */
export async function countAnswers(chatUrl: string, token: string): Promise<Counters> {
  const socket = new WebSocket(`${chatUrl.replace('http', 'ws')}/chat`);
  const frames = on(socket, 'message', { signal: AbortSignal.timeout(FRAME_MS_MAX), close: ['close'] });
  let bytes = 0;
  type Heard = { type: string; message?: string; questions?: number; waitingFor?: number };
  const heard = async (type: string): Promise<Heard> => {
    for (;;) {
      const { value, done } = await frames.next();
      if (done) throw new Error(`the chat closed the connection before it said ${type}`);
      const text = String(value[0]);
      bytes += Buffer.byteLength(text);
      const frame = JSON.parse(text) as Heard;
      if (frame.type === 'error') throw new Error(`the chat says: ${frame.message}`);
      if (frame.type === type) return frame;
    }
  };
  try {
    await once(socket, 'open');
    const atFirst = await databaseUse(chatUrl);
    socket.send(JSON.stringify({ type: 'hello', token, lastSeq: 0 }));
    const { questions = 0, waitingFor: first = 1 } = await heard('welcome');
    const welcomed = await databaseUse(chatUrl);
    const counters = { 'welcome: queries': usedSince(atFirst, welcomed).queries, 'welcome: bytes': bytes };
    bytes = 0;
    for (let nth = 0; nth < questions; nth++) {
      // Each question follows the answer to the one before.
      const frame = { type: 'answer', nonce: `counted-${nth}`, questionSeq: first + 2 * nth, text: BODY };
      socket.send(JSON.stringify(frame));
      await heard('ack');
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
