import { ELU_MAX } from '../../load/limits.ts';
import { startLoad } from '../../load/start-load.ts';
import { round } from '../../numbers.ts';
import type { Condition, Findings, Scenario, ScenarioContext } from '../../scenarios/scenario.ts';
import type { LoadFigures } from '../../types.ts';
import { checkInTokens } from './check-in-tokens.ts';
import { loopbackAddresses } from './loopback-addresses.ts';
import { SHARED_CORES } from './shared-cores.ts';
import { SOCKETS, type SocketFigures, type SocketsPlan } from './sockets-plan.ts';

const CLIENTS = { ci: 200, full: 5_000 };
/** In the second storm: this share of the clients is polite, and the others are not. */
const POLITE_SHARE = 0.1;
const ADDRESSES = 20; // of each crowd: a few hundred people behind each
const CONNECT_PER_SECOND = 500;
const BACK_SECONDS_MAX = 10;
/** A client that is not back by then counts as never back. Longer than the dashboard is asked before the chat dies. */
const WAIT_SECONDS = 35;
const CHAT_BYTES_MAX = 400 * 1024 * 1024;
const API_RATIO_MAX = 1.2;
const API_PER_SECOND = 40;
const API_SECONDS = { ci: 4, full: 12 };
const API_WARM_UP_SECONDS = 1;

/** The chat dies under everybody, twice: once all clients are ours, once nine of ten obey nothing. The dashboard is asked meanwhile. */
export const storms: Scenario = {
  name: 'storms',
  promise: 'storms',
  line: `after kill -9 under ${CLIENTS.full.toLocaleString('en')} clients, all polite ones are back within ${BACK_SECONDS_MAX} s, also when nine of ten come back every 100 ms whatever they are told; the chat needs less than ${CHAT_BYTES_MAX / 1024 / 1024} MB, and the API's p95 is at most ${API_RATIO_MAX} times what it was before`,
  profile: 'full',
  kills: true,

  async run(context) {
    const count = CLIENTS[context.profile];
    const { databaseUrl, secretKey } = context.layout.addresses;
    const tokens = await checkInTokens(databaseUrl, secretKey, { count });
    const polite = await storm(context, [{ name: 'polite', tokens, rude: false }]);
    const few = Math.ceil(count * POLITE_SHARE);
    const mixed = await storm(context, [
      { name: 'polite among rude', tokens: tokens.slice(0, few), rude: false },
      { name: 'rude', tokens: tokens.slice(few), rude: true },
    ]);
    const needed = context.layout.boxes.get('chat')?.figures().neededPeakBytes ?? 0;
    return together([polite, mixed], needed);
  },
};

interface Crowd {
  readonly name: string;
  readonly tokens: readonly string[];
  readonly rude: boolean;
}

interface Stormed {
  /** From the kill until the chat was ready again. Nobody can be back before. */
  readonly awaySeconds: number;
  readonly crowds: readonly (readonly [Crowd, SocketFigures])[];
  readonly api: { readonly calm: LoadFigures; readonly stormy: LoadFigures };
}

async function storm(context: ScenarioContext, crowds: readonly Crowd[]): Promise<Stormed> {
  const { layout, onSample } = context;
  const clients = crowds.reduce((total, { tokens }) => total + tokens.length, 0);
  const connectSeconds = Math.max(2, clients / CONNECT_PER_SECOND);
  const loads = crowds.map((crowd) => startLoad(planOf(layout.addresses.chat, connectSeconds, crowd), onSample));
  await Promise.all(loads.map((load) => load.event('connected')));
  const calm = await askDashboard(context);
  const asking = askDashboard(context);
  const killedAt = performance.now();
  await layout.kill('chat', 'SIGKILL');
  await layout.restart('chat');
  const awaySeconds = round((performance.now() - killedAt) / 1000);
  const figures = await Promise.all(loads.map((load) => load.figures));
  return {
    awaySeconds,
    crowds: crowds.map((crowd, nth) => [crowd, figures[nth] as SocketFigures] as const),
    api: { calm, stormy: await asking },
  };
}

function planOf(url: string, connectSeconds: number, { tokens, rude }: Crowd): SocketsPlan {
  return {
    kind: SOCKETS,
    url,
    tokens,
    connectSeconds,
    mode: 'storm',
    pace: { kind: 'think', minMs: 1_000, maxMs: 2_000 },
    seconds: WAIT_SECONDS,
    seed: 6,
    rude,
    addresses: rude ? loopbackAddresses(2 * ADDRESSES).slice(ADDRESSES) : loopbackAddresses(ADDRESSES),
  };
}

function askDashboard({ layout, accounts, profile, workload }: ScenarioContext): Promise<LoadFigures> {
  const reads = Object.entries(workload.officeDay).filter(([step]) => step.startsWith('GET '));
  return startLoad({
    kind: 'open-loop',
    url: layout.addresses.api,
    accounts,
    mix: Object.fromEntries(reads),
    mixOrder: 'cycle',
    arrivals: 'constant',
    phases: [{ seconds: API_SECONDS[profile] + API_WARM_UP_SECONDS, perSecond: API_PER_SECOND }],
    warmUpSeconds: API_WARM_UP_SECONDS,
    seed: 7,
  }).figures;
}

function together(stormed: readonly Stormed[], chatNeededBytes: number): Findings {
  const crowds = stormed.flatMap((one) => one.crowds);
  const apis = stormed.map(({ api: { calm, stormy } }) => ({
    calmMs: round(calm.latency.p95Ms),
    stormyMs: round(stormy.latency.p95Ms),
    ratio: round(stormy.latency.p95Ms / calm.latency.p95Ms, 2),
  }));
  const chatMb = Math.round(chatNeededBytes / 1024 / 1024);
  return {
    conditions: [
      ...crowds.filter(([{ rude }]) => !rude).flatMap(([{ name }, figures]) => backConditions(name, figures)),
      {
        says: `the chat needs under ${CHAT_BYTES_MAX / 1024 / 1024} MB (${chatMb})`,
        holds: chatNeededBytes < CHAT_BYTES_MAX,
      },
      ...apis.map(({ calmMs, stormyMs, ratio }, nth) => ({
        says: `the API's p95 in storm ${nth + 1} is at most ${API_RATIO_MAX} times (${ratio}: ${calmMs} ms, then ${stormyMs} ms)`,
        holds: ratio <= API_RATIO_MAX,
      })),
    ],
    inconclusive: crowds
      .filter(([, { generatorElu }]) => generatorElu > ELU_MAX)
      .map(
        ([{ name }, { generatorElu }]) =>
          `the generator of "${name}" was busy ${Math.round(generatorElu * 100)} % of the time`,
      ),
    hints: SHARED_CORES,
    figures: {
      ...Object.fromEntries(
        crowds.map(([{ name }, { back }]) => [`${name}: back max seconds`, round(back.maxMs / 1000)]),
      ),
      chatMb,
      ...Object.fromEntries(
        stormed.map(({ awaySeconds }, nth) => [`chat away seconds in storm ${nth + 1}`, awaySeconds]),
      ),
      ...Object.fromEntries(apis.map(({ ratio }, nth) => [`API p95 ratio in storm ${nth + 1}`, ratio])),
      ...Object.fromEntries(crowds.flatMap(crowdFigures)),
      wrong: crowds.reduce((total, [, { wrong }]) => total + wrong, 0),
    },
    loads: Object.fromEntries([
      ...crowds.map(([{ name }, figures]) => [name, figures]),
      ...stormed.flatMap(({ api: { calm, stormy } }, nth) => [
        [`API before storm ${nth + 1}`, calm],
        [`API in storm ${nth + 1}`, stormy],
      ]),
    ]),
  };
}

function backConditions(name: string, { neverBack, clients, back }: SocketFigures): Condition[] {
  const seconds = round(back.maxMs / 1000);
  return [
    { says: `${name}: everybody is back (${neverBack} of ${clients} are not)`, holds: neverBack === 0 },
    { says: `${name}: within ${BACK_SECONDS_MAX} s (${seconds} s)`, holds: seconds <= BACK_SECONDS_MAX },
  ];
}

function crowdFigures([{ name }, { clients, neverBack, back, refusedConnections }]: readonly [Crowd, SocketFigures]) {
  return [
    [`${name}: clients`, clients],
    [`${name}: never back`, neverBack],
    [`${name}: back p50 seconds`, round(back.p50Ms / 1000)],
    [`${name}: refused connections`, refusedConnections],
  ];
}
