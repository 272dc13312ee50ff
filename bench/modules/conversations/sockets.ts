/**
 * What it is: employees in their check-ins by the thousand: each says hello, reads a question, thinks, answers.
 * What fails without it: a chat measured with a few sockets says nothing about memory per socket, nor about the moment
 *   when the server comes back and everybody knocks at once.
 * How it works: one token is one conversation (socket-client.ts). Answers are due after a seeded time of thinking, or on
 *   a schedule where a rate is asked for; latency counts from when an answer was due, across lost connections. An
 *   acknowledged answer goes into the history, which is later held against the database (history.ts).
 * What it costs: about as much memory as the server pays for its side. Its bound: `atOnce` of the plan.
 * Its proof: test/modules/conversations/bench.test.ts.
 */
import { createWriteStream } from 'node:fs';
import { createHistogram, latencyFigures, recordMs } from '../../load/latency.ts';
import { SAMPLE_EVERY_MS } from '../../load/limits.ts';
import { createMeter } from '../../load/meter.ts';
import { whenDue } from '../../load/open-loop.ts';
import type { Tell } from '../../load/plan.ts';
import { createRandom } from '../../load/random.ts';
import { dueTimes } from '../../load/schedule.ts';
import { type ChatEvents, createChatClient, politeManners, rudeManners } from './socket-client.ts';
import { SOCKET_MESSAGES, type SocketFigures, type SocketsPlan } from './sockets-plan.ts';

const { hello: HELLO, answer: ANSWER } = SOCKET_MESSAGES;
const DRAIN_MS = 5_000;

/** Resolves after the plan's time, with what is under way given a moment to end. Events: `connected`, `lost`, `back`. */
export async function runSockets(plan: SocketsPlan, tell: Tell, signal?: AbortSignal): Promise<SocketFigures> {
  const random = createRandom(plan.seed);
  const manners = (plan.rude === true ? rudeManners : politeManners)(random, plan.addresses);
  const total = plan.seconds + plan.connectSeconds;
  const meter = createMeter({ seconds: total, warmUpSeconds: plan.warmUpSeconds ?? 0 });
  const backTimes = createHistogram();
  const history = plan.historyFile === undefined ? undefined : createWriteStream(plan.historyFile, { flags: 'a' });
  const counts = { connectedMax: 0, lost: 0, refused: 0, refusedLinks: 0, acknowledged: 0, finished: 0, waiting: 0 };
  const atOnce = Math.min(plan.atOnce ?? plan.tokens.length, plan.tokens.length);
  const open = new Set<ReturnType<typeof createChatClient>>();
  const welcomed = new Set<object>();
  /** Those who wait to answer, for a schedule: longest waiting first. */
  const ready = new Set<ReturnType<typeof createChatClient>>();
  const away = new Set<object>();
  let nextToken = 0;
  let lostAt: number | undefined;
  let ending = false;
  let allBack: () => void = () => undefined;
  const everybodyBack = new Promise<void>((resolve) => {
    allBack = resolve;
  });
  const nowMs = () => performance.now() - meter.startedAt;

  function openNext(dueMs: number): void {
    const token = plan.tokens[nextToken++];
    if (token === undefined || ending) return;
    meter.due(dueMs, counts.waiting++);
    const client = createChatClient(plan.url, token, dueMs, manners, random, eventsOf());
    open.add(client);

    function eventsOf(): ChatEvents {
      let greeted = false;
      let thinking = false;
      return {
        started: (at) => meter.started(at),
        welcomed(at, first) {
          if (first) {
            greeted = true;
            counts.waiting--;
            meter.finished(HELLO, at, { status: 200 }, undefined);
          }
          welcomed.add(client);
          counts.connectedMax = Math.max(counts.connectedMax, welcomed.size);
          if (away.delete(client) && lostAt !== undefined) {
            recordMs(backTimes, performance.now() - lostAt);
            if (away.size === 0) wasLast();
          }
          if (welcomed.size === atOnce) tell.onEvent('connected');
        },
        question() {
          if (plan.mode !== 'steady' || ending) return;
          if (plan.pace.kind === 'schedule') return void ready.add(client);
          // Asked again after a lost connection: the thought goes on.
          if (thinking) return;
          thinking = true;
          const thinkMs = plan.pace.minMs + random.next() * (plan.pace.maxMs - plan.pace.minMs);
          const dueMs = nowMs() + thinkMs;
          setTimeout(() => {
            thinking = false;
            answer(client, dueMs);
          }, thinkMs);
        },
        acknowledged(at, entry) {
          counts.acknowledged++;
          counts.waiting--;
          meter.finished(ANSWER, at, { status: 200 }, undefined);
          history?.write(`${JSON.stringify({ kind: 'answer', ...entry })}\n`);
        },
        failed(at, error) {
          counts.waiting--;
          meter.finished(ANSWER, at, { status: 0, error }, undefined);
        },
        wrong: (what) => meter.finished(ANSWER, nowMs(), { status: 200 }, what),
        lost() {
          counts.lost++;
          ready.delete(client);
          if (!welcomed.delete(client)) return;
          away.add(client);
          if (lostAt !== undefined || plan.mode !== 'storm') return;
          lostAt = performance.now();
          tell.onEvent('lost');
        },
        refused: () => void counts.refused++,
        over(why) {
          if (!greeted) {
            counts.waiting--;
            meter.finished(HELLO, dueMs, { status: 0, error: why }, undefined);
          }
          if (why === 'finished') counts.finished++;
          if (why === 'link') counts.refusedLinks++;
          open.delete(client);
          welcomed.delete(client);
          away.delete(client);
          ready.delete(client);
          openNext(nowMs());
        },
      };
    }
  }

  function wasLast(): void {
    tell.onEvent('back');
    allBack();
  }

  function answer(client: ReturnType<typeof createChatClient>, dueMs: number): void {
    if (ending || !open.has(client) || !client.answer(dueMs)) return;
    meter.due(dueMs, counts.waiting++);
  }

  async function answerOnSchedule(): Promise<void> {
    if (plan.pace.kind !== 'schedule') return;
    const { phases, arrivals } = plan.pace;
    const from = meter.startedAt + plan.connectSeconds * 1000;
    for await (const dueMs of whenDue(dueTimes(phases, arrivals, random), from, signal)) {
      const due = dueMs + plan.connectSeconds * 1000;
      const [client] = ready;
      if (client !== undefined) {
        ready.delete(client);
        answer(client, due);
      } else {
        meter.due(due, counts.waiting);
        meter.dropped(due);
      }
    }
  }

  const sampling = setInterval(() => tell.onSample(meter.sample(counts.waiting)), SAMPLE_EVERY_MS);
  try {
    meter.start();
    const connecting = [
      { seconds: Math.max(plan.connectSeconds, 0.001), perSecond: atOnce / Math.max(plan.connectSeconds, 0.001) },
    ];
    const scheduled = answerOnSchedule();
    for await (const dueMs of whenDue(dueTimes(connecting, 'constant', random), meter.startedAt, signal))
      openNext(dueMs);
    const endsAt = meter.startedAt + total * 1000;
    if (plan.mode === 'storm')
      await until(everybodyBack, signal, () => (lostAt === undefined ? endsAt : lostAt + plan.seconds * 1000));
    else if (plan.pace.kind === 'schedule') await until(scheduled, signal, () => endsAt);
    // Over early when everybody has given every answer.
    else await until(undefined, signal, () => (open.size === 0 && nextToken >= plan.tokens.length ? 0 : endsAt));
    ending = true;
    meter.windowEnds();
    for (const deadline = performance.now() + DRAIN_MS; counts.waiting > 0 && performance.now() < deadline; )
      await pause(20);
    const neverBack = away.size;
    for (const client of open) client.close();
    return {
      ...meter.figures(),
      clients: atOnce,
      connectedMax: counts.connectedMax,
      lostConnections: counts.lost,
      refusedConnections: counts.refused,
      refusedLinks: counts.refusedLinks,
      acknowledged: counts.acknowledged,
      finished: counts.finished,
      back: latencyFigures(backTimes),
      neverBack,
    };
  } finally {
    clearInterval(sampling);
    if (history !== undefined) await new Promise<void>((resolve) => history.end(() => resolve()));
  }
}

/** Until `work` is done, the time has come, or somebody stops it. */
async function until(work: Promise<void> | undefined, signal: AbortSignal | undefined, endsAt: () => number) {
  let done = false;
  void work?.then(() => {
    done = true;
  });
  while (!done && !signal?.aborted && performance.now() < endsAt()) await pause(20);
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
