import { startCuttingProxy } from '../load/cutting-proxy.ts';
import { checkHistory, readHistory } from '../load/history.ts';
import { invite } from '../load/invite.ts';
import { routesOf } from '../load/mixes.ts';
import { startLoad } from '../load/start-load.ts';
import { round, type Scenario, unmet } from './scenario.ts';

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

  async run({ layout, profile, historyFile, onSample }) {
    const people = PEOPLE[profile];
    const tokens = await invite(layout.addresses, { people, questions: QUESTIONS });
    const proxy = await startCuttingProxy(layout.addresses.chat, CUT_EVERY_MS);
    const figures = await startLoad(
      {
        kind: 'sockets',
        url: proxy.url,
        tokens,
        connectSeconds: 1,
        mode: 'steady',
        pace: { kind: 'think', ...THINK_MS },
        seconds: SECONDS_MAX[profile],
        seed: 23,
        historyFile,
      },
      onSample,
    ).figures.finally(() => proxy.close());
    const stored = await checkHistory(layout.addresses.databaseUrl, readHistory(historyFile));
    const lost = stored.lost + stored.duplicated + stored.wrongSeq + stored.withGaps;
    return {
      met: lost === 0 && figures.wrong === 0 && figures.finished === people && proxy.cut > people,
      reasons: unmet({
        [`everybody came to the end (${figures.finished} of ${people})`]: figures.finished === people,
        [`nothing lost, doubled or out of order in the database (${lost}: ${stored.samples[0] ?? ''})`]: lost === 0,
        [`nor in any window (${figures.wrong}: ${figures.wrongSamples[0] ?? ''})`]: figures.wrong === 0,
        [`connections were cut (${proxy.cut})`]: proxy.cut > people,
      }),
      figures: {
        answers: figures.acknowledged,
        cut: proxy.cut,
        finished: figures.finished,
        ackP50Ms: round(figures.byRoute['socket answer']?.p50Ms ?? 0),
        lost,
        wrong: figures.wrong,
      },
      loads: { chat: figures },
      covers: routesOf(figures.byRoute),
    };
  },
};
