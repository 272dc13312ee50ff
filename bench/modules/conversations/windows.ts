/** People with two windows on two chat processes: what is answered in one, and when the other one shows it. */
import { setTimeout as delay } from 'node:timers/promises';
import { connectConversation } from '../../../web/modules/conversations/connection.js';
import { SAMPLE_EVERY_MS } from '../../load/limits.ts';
import { createMeter } from '../../load/meter.ts';
import type { Tell } from '../../load/plan.ts';
import { createRandom } from '../../load/random.ts';
import type { LoadFigures } from '../../types.ts';
import { createNetwork, socketUrlOf } from './socket-client.ts';
import { OTHER_WINDOW, type WindowsPlan } from './windows-plan.ts';

const DRAIN_MS = 5_000;
const POLL_MS = 20;

export async function runWindows(plan: WindowsPlan, tell: Tell, signal?: AbortSignal): Promise<LoadFigures> {
  const { tokens, connectSeconds, seconds, thinkMs } = plan;
  const [near, far] = plan.urls.map(socketUrlOf) as [string, string];
  const random = createRandom(plan.seed);
  const meter = createMeter({ seconds: connectSeconds + seconds, warmUpSeconds: connectSeconds });
  const environment = { ...createNetwork(), random: random.next };
  /** When each answer was given that the other window does not show yet, by its nonce. */
  const pending = new Map<string, number>();
  const windows: { close(): void }[] = [];
  let ending = false;
  const nowMs = () => performance.now() - meter.startedAt;

  function openPair(token: string, nth: number): void {
    let question: { readonly seq: number; readonly answer: 'text' | 'scale' } | null = null;
    let thinking = false;
    const writing = connectConversation({
      url: near,
      token,
      environment,
      on: {
        waiting(next) {
          question = next;
          if (next === null || thinking || ending) return;
          thinking = true;
          const ms = thinkMs.min + random.next() * (thinkMs.max - thinkMs.min);
          setTimeout(() => {
            thinking = false;
            answer();
          }, ms);
        },
        rejected: (_nonce, _content, { message }) => wrong(`an answer was refused: ${message}`),
        fault: wrong,
      },
    });
    const reading = connectConversation({
      url: far,
      token,
      environment,
      on: { message: ({ nonce }) => shown(nonce ?? ''), fault: wrong },
    });
    windows.push(writing, reading);

    function answer(): void {
      if (ending || question === null) return;
      const { seq: questionSeq } = question;
      const content =
        question.answer === 'scale' ? { questionSeq, choice: 3 } : { questionSeq, text: 'It was a good week' };
      const nonce = `${nth}-${questionSeq}`;
      const givenAt = nowMs();
      meter.due(givenAt, pending.size);
      meter.started(givenAt);
      pending.set(nonce, givenAt);
      writing.answer(content, nonce);
    }
  }

  function shown(nonce: string): void {
    const givenAt = pending.get(nonce);
    if (givenAt === undefined) return;
    pending.delete(nonce);
    meter.finished(OTHER_WINDOW, givenAt, { status: 200 }, undefined);
  }

  function wrong(what: string): void {
    meter.finished(OTHER_WINDOW, nowMs(), { status: 200 }, what);
  }

  const sampling = setInterval(() => tell.onSample(meter.sample(pending.size)), SAMPLE_EVERY_MS);
  try {
    meter.start();
    const endsAt = performance.now() + (connectSeconds + seconds) * 1000;
    for (const [nth, token] of tokens.entries()) {
      const dueMs = (nth / tokens.length) * connectSeconds * 1000;
      if (dueMs > nowMs()) await delay(dueMs - nowMs());
      openPair(token, nth);
    }
    while (performance.now() < endsAt && !signal?.aborted) await delay(POLL_MS);
    ending = true;
    meter.windowEnds();
    for (const deadline = performance.now() + DRAIN_MS; pending.size > 0 && performance.now() < deadline; )
      await delay(POLL_MS);
    for (const givenAt of pending.values())
      meter.finished(OTHER_WINDOW, givenAt, { status: 0, error: 'never shown' }, undefined);
    return meter.figures();
  } finally {
    clearInterval(sampling);
    for (const window of windows) window.close();
  }
}
