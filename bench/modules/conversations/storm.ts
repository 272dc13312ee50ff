import { startLoad } from '../../load/start-load.ts';
import { round } from '../../numbers.ts';
import type { Scenario } from '../../scenarios/scenario.ts';
import { checkInTokens } from './check-in-tokens.ts';
import { SOCKETS, type SocketsPlan } from './sockets-plan.ts';

const CLIENTS = { ci: 500, full: 5_000 };
const CONNECT_PER_SECOND = 200;
const BACK_SECONDS_MAX = 30;

/** The chat is killed under all of its clients; everybody is back soon, and nobody is lost. */
export const storm: Scenario = {
  name: 'storm',
  promise: 'storm',
  line: `all chat clients reconnecting at once after kill -9 are back within ${BACK_SECONDS_MAX} s, none lost (5,000 clients in the full profile)`,
  gates: true,
  kills: true,

  async run({ layout, profile, onSample }) {
    const { chat, databaseUrl, secretKey } = layout.addresses;
    const tokens = await checkInTokens(databaseUrl, secretKey, { count: CLIENTS[profile] });
    const plan: SocketsPlan = {
      kind: SOCKETS,
      url: chat,
      tokens,
      connectSeconds: Math.max(3, tokens.length / CONNECT_PER_SECOND),
      mode: 'storm',
      pace: { kind: 'think', minMs: 1_000, maxMs: 2_000 },
      seconds: BACK_SECONDS_MAX + 5,
      seed: 5,
    };
    const load = startLoad(plan, onSample);
    await load.event('connected');
    await layout.kill('chat', 'SIGKILL');
    await layout.restart('chat');
    const figures = await load.figures;
    const { neverBack, clients, back } = figures;
    const backSeconds = back.maxMs / 1000;
    return {
      conditions: [
        { says: `everybody is back (${neverBack} of ${clients} are not)`, holds: neverBack === 0 },
        {
          says: `the last one after ${round(backSeconds)} s, at most ${BACK_SECONDS_MAX} s`,
          holds: backSeconds <= BACK_SECONDS_MAX,
        },
      ],
      figures: {
        clients,
        backP50Seconds: round(back.p50Ms / 1000),
        backMaxSeconds: round(backSeconds),
        neverBack,
      },
      loads: { chat: figures },
    };
  },
};
