import { checkInTokens } from '../load/check-in-tokens.ts';
import { startLoad } from '../load/start-load.ts';
import { round, type Scenario, unmet } from './scenario.ts';

const CLIENTS = { ci: 500, full: 5_000 };
const BACK_SECONDS_MAX = 30;

/** The chat is killed under all of its clients; everybody is back soon, and nobody is lost. */
export const storm: Scenario = {
  name: 'storm',
  promise: 'storm',
  line: `all chat clients reconnecting at once after kill -9 are back within ${BACK_SECONDS_MAX} s, none lost (5,000 clients in the full profile)`,

  async run({ layout, profile, onSample }) {
    const { chat, databaseUrl, secretKey } = layout.addresses;
    const tokens = await checkInTokens(databaseUrl, secretKey, { count: CLIENTS[profile] });
    const load = startLoad(
      {
        kind: 'sockets',
        url: chat,
        tokens,
        connectSeconds: Math.max(3, tokens.length / 200),
        mode: 'storm',
        pace: { kind: 'think', minMs: 1_000, maxMs: 2_000 },
        seconds: BACK_SECONDS_MAX + 5,
        seed: 5,
      },
      onSample,
    );
    await load.event('connected');
    await layout.kill('chat', 'SIGKILL');
    await layout.restart('chat');
    const figures = await load.figures;
    const backSeconds = figures.back.maxMs / 1000;
    return {
      met: figures.neverBack === 0 && backSeconds <= BACK_SECONDS_MAX,
      reasons: unmet({
        [`everybody is back (${figures.neverBack} of ${figures.clients} are not)`]: figures.neverBack === 0,
        [`the last one after ${round(backSeconds)} s, at most ${BACK_SECONDS_MAX} s`]: backSeconds <= BACK_SECONDS_MAX,
      }),
      figures: {
        clients: figures.clients,
        backP50Seconds: round(figures.back.p50Ms / 1000),
        backMaxSeconds: round(backSeconds),
        neverBack: figures.neverBack,
      },
      covers: ['socket hello'],
    };
  },
};
