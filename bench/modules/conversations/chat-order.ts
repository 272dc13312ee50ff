import path from 'node:path';
import { type Layout, startLayout } from '../../layout/layout.ts';
import { startCuttingProxy } from '../../load/cutting-proxy.ts';
import { lostOf } from '../../load/history.ts';
import { startLoad } from '../../load/start-load.ts';
import { round } from '../../numbers.ts';
import type { OwnLayoutContext, OwnLayoutFindings, OwnLayoutScenario } from '../../scenarios/scenario.ts';
import { CONVERSATION_HISTORY } from './history.ts';
import { invite } from './invite.ts';
import { SOCKET_MESSAGES, SOCKETS, type SocketsPlan } from './sockets-plan.ts';

const FOLDER = path.resolve(import.meta.dirname, '..', '..', '..', '.tardigrade', 'bench', 'two-each');
const SEED_SCALE = 0.25;
const PEOPLE = { ci: 100, full: 650 };
const QUESTIONS = 8;
const THINK_MS = { minMs: 200, maxMs: 1_200 };
const CUT_EVERY_MS = 2_000;
const SECONDS_MAX = { ci: 40, full: 150 };
/** One after the other, each once the one before is back and has served for a moment. */
const DEATHS = {
  ci: ['chat', 'primary', 'chat-2'],
  full: ['chat', 'primary', 'chat-2', 'primary', 'chat', 'primary', 'chat-2', 'primary'],
} as const;
const BETWEEN_DEATHS_MS = 1_500;

/** Whatever dies or breaks, and whichever process a person comes back to, each answer stays under its own question. */
export const chatOrder: OwnLayoutScenario = {
  name: 'chat-order',
  promise: 'chat-order',
  line: `connections cut every ${CUT_EVERY_MS / 1000} s, two chat processes killed in turn, PostgreSQL killed as well: each conversation goes on to its end without a gap, without a duplicate, in order (over 5,000 answers in the full profile)`,
  gates: true,

  async run(context) {
    const layout = await startLayout({ kind: 'two-each', seedScale: SEED_SCALE, folder: FOLDER, soft: context.soft });
    try {
      context.watch(layout);
      return await answerThroughIt(context, layout);
    } finally {
      context.watch(undefined);
      await layout.stop();
    }
  },
};

async function answerThroughIt(context: OwnLayoutContext, layout: Layout): Promise<OwnLayoutFindings> {
  const { profile, onSample } = context;
  const people = PEOPLE[profile];
  const historyFile = path.join(FOLDER, 'chat-order.jsonl');
  const tokens = await invite(layout.addresses, { people, questions: QUESTIONS });
  const proxy = await startCuttingProxy(layout.addresses.chats, CUT_EVERY_MS);
  const plan: SocketsPlan = {
    kind: SOCKETS,
    url: proxy.url,
    tokens,
    connectSeconds: 1,
    mode: 'steady',
    pace: { kind: 'think', ...THINK_MS },
    seconds: SECONDS_MAX[profile],
    seed: 23,
    historyFile,
  };
  const load = startLoad(plan, onSample);
  const killing = killInTurn(layout, DEATHS[profile]);
  const figures = await load.figures.finally(() => proxy.close());
  const killed = await killing;
  const { lost, sample } = await lostOf(layout.addresses.databaseUrl, CONVERSATION_HISTORY, [historyFile]);
  const { finished, wrong, wrongSamples, acknowledged } = figures;
  return {
    conditions: [
      { says: `everybody came to the end (${finished} of ${people})`, holds: finished === people },
      { says: `nothing lost, doubled or out of order in the database (${lost}: ${sample})`, holds: lost === 0 },
      { says: `nor in any window (${wrong}: ${wrongSamples[0] ?? ''})`, holds: wrong === 0 },
      { says: `connections were cut (${proxy.cut})`, holds: proxy.cut > people },
      { says: `processes were killed meanwhile (${killed})`, holds: killed === DEATHS[profile].length },
    ],
    inconclusive: layout.inconclusiveReasons(),
    figures: {
      answers: acknowledged,
      cut: proxy.cut,
      killed,
      finished,
      ackP50Ms: round(figures.byRoute[SOCKET_MESSAGES.answer]?.p50Ms ?? 0),
      lost,
      wrong,
    },
    loads: { chat: figures },
    boxes: Object.fromEntries([...layout.boxes].map(([name, box]) => [name, box.figures()])),
    memory: layout.memorySamples(),
  };
}

/** Resolves with how many were killed. */
async function killInTurn(layout: Layout, parts: readonly string[]): Promise<number> {
  let killed = 0;
  for (const part of parts) {
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_DEATHS_MS));
    await layout.kill(part, 'SIGKILL');
    await layout.restart(part);
    killed++;
  }
  return killed;
}
