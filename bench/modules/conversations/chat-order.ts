import { startCuttingProxy } from '../../load/cutting-proxy.ts';
import { lostOf } from '../../load/history.ts';
import { startLoad } from '../../load/start-load.ts';
import { round } from '../../numbers.ts';
import type { Scenario } from '../../scenarios/scenario.ts';
import { CONVERSATION_HISTORY } from './history.ts';
import { invite } from './invite.ts';
import { SOCKET_MESSAGES, SOCKETS, type SocketsPlan } from './sockets-plan.ts';

const PEOPLE = { ci: 100, full: 650 };
const QUESTIONS = 8;
const THINK_MS = { minMs: 200, maxMs: 1_200 };
const CUT_EVERY_MS = 2_000;
const SECONDS_MAX = { ci: 40, full: 120 };

/** Everybody's connection breaks every two seconds, in the middle of whatever it carries. */
export const chatOrder: Scenario = {
  name: 'chat-order',
  promise: 'chat-order',
  line: `connections cut every ${CUT_EVERY_MS / 1000} s: each conversation goes on to its end without a gap, without a duplicate, in order (over 5,000 answers in the full profile)`,
  gates: true,

  async run({ layout, profile, historyFile, onSample }) {
    const people = PEOPLE[profile];
    const tokens = await invite(layout.addresses, { people, questions: QUESTIONS });
    const proxy = await startCuttingProxy(layout.addresses.chat, CUT_EVERY_MS);
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
    const figures = await startLoad(plan, onSample).figures.finally(() => proxy.close());
    const { lost, sample } = await lostOf(layout.addresses.databaseUrl, CONVERSATION_HISTORY, [historyFile]);
    const { finished, wrong, wrongSamples, acknowledged } = figures;
    return {
      conditions: [
        { says: `everybody came to the end (${finished} of ${people})`, holds: finished === people },
        { says: `nothing lost, doubled or out of order in the database (${lost}: ${sample})`, holds: lost === 0 },
        { says: `nor in any window (${wrong}: ${wrongSamples[0] ?? ''})`, holds: wrong === 0 },
        { says: `connections were cut (${proxy.cut})`, holds: proxy.cut > people },
      ],
      figures: {
        answers: acknowledged,
        cut: proxy.cut,
        finished,
        ackP50Ms: round(figures.byRoute[SOCKET_MESSAGES.answer]?.p50Ms ?? 0),
        lost,
        wrong,
      },
      loads: { chat: figures },
    };
  },
};
