import { setTimeout as delay } from 'node:timers/promises';
import { startLoad } from '../../load/start-load.ts';
import { round } from '../../numbers.ts';
import type { Scenario, ScenarioContext } from '../../scenarios/scenario.ts';
import { FLOOD, FLOODS, type FloodFigures, type FloodName, type FloodPlan, isAdmitted } from './flood-plan.ts';
import { invite } from './invite.ts';
import { SHARED_CORES } from './shared-cores.ts';
import { SOCKET_MESSAGES, SOCKETS, type SocketFigures, type SocketsPlan } from './sockets-plan.ts';

const FLOODERS = 200;
const PEOPLE = { ci: 10, full: 50 };
const QUESTIONS = 8;
const THINK_MS = { minMs: 300, maxMs: 600 };
const SECONDS = { ci: 3, full: 10 };
/** The flood is there first. */
const BEFORE_MS = 1_000;
const WARM_UP_SECONDS = 1;
const FLOOD_ADDRESS = '127.0.0.66';
const ACK_P99_MS_MAX = 100;

/** Strangers, and people with links, who send what no page sends, while others come in and answer. */
export const floods: Scenario = {
  name: 'floods',
  promise: 'floods',
  line: `${FLOODERS} sockets of one address that flood (${FLOODS.join(', ')}), each kind by itself: the chat is the same process afterwards, everybody else gets in, and their answers are acknowledged within ${ACK_P99_MS_MAX} ms (p99)`,
  profile: 'full',

  async run(context) {
    const { layout } = context;
    const pid = layout.pid('chat');
    const calm = await peopleAnswer(context, undefined);
    const all: [FloodName, Flooded][] = [];
    for (const flood of FLOODS) all.push([flood, await peopleAnswer(context, flood)]);
    const after = layout.pid('chat');
    return {
      conditions: [
        { says: `the chat is the same process (${pid}, then ${after})`, holds: pid !== undefined && pid === after },
        ...all.map(([flood, { p99Ms }]) => ({
          says: `${flood}: an answer within ${ACK_P99_MS_MAX} ms (p99 ${p99Ms} ms)`,
          holds: p99Ms > 0 && p99Ms < ACK_P99_MS_MAX,
        })),
        ...all.map(([flood, { people }]) => ({
          says: `${flood}: everybody gets in, nothing is refused or wrong (${people.connectedMax} of ${people.clients}; ${people.failed}, ${people.wrong}: ${people.wrongSamples[0] ?? ''})`,
          holds: people.connectedMax === people.clients && people.failed + people.wrong === 0,
        })),
        ...all.map(([flood, { flooders }]) => ({
          says: `${flood}: they did flood (${flooders?.connections} connections, ${flooders?.admitted} of them let in)`,
          holds: ((isAdmitted(flood) ? flooders?.admitted : flooders?.connections) ?? 0) >= FLOODERS,
        })),
      ],
      hints: SHARED_CORES,
      figures: {
        ackP99Ms: Math.max(...all.map(([, { p99Ms }]) => p99Ms)),
        calmAckP99Ms: calm.p99Ms,
        wrong: all.reduce((total, [, { people }]) => total + people.wrong, 0),
        ...Object.fromEntries(all.map(([flood, found]) => [flood, described(found)])),
      },
      loads: Object.fromEntries([['calm', calm.people], ...all.map(([flood, { people }]) => [flood, people])]),
    };
  },
};

interface Flooded {
  readonly people: SocketFigures;
  readonly flooders: FloodFigures | undefined;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

async function peopleAnswer({ layout, profile, onSample }: ScenarioContext, flood?: FloodName): Promise<Flooded> {
  const { addresses } = layout;
  const seconds = SECONDS[profile];
  const enough = Math.ceil((1_000 * (seconds + 2 * WARM_UP_SECONDS)) / (THINK_MS.minMs * QUESTIONS)) + 1;
  const tokens = await invite(addresses, { people: PEOPLE[profile] * enough, questions: QUESTIONS });
  const links =
    flood !== undefined && isAdmitted(flood) ? await invite(addresses, { people: FLOODERS, questions: 1 }) : [];
  const flooding = flood === undefined ? undefined : startLoad(planOf(addresses.chat, flood, links, seconds + 30));
  if (flooding !== undefined) await delay(BEFORE_MS);
  const plan: SocketsPlan = {
    kind: SOCKETS,
    url: addresses.chat,
    tokens,
    atOnce: PEOPLE[profile],
    connectSeconds: WARM_UP_SECONDS,
    warmUpSeconds: WARM_UP_SECONDS,
    mode: 'steady',
    pace: { kind: 'think', ...THINK_MS },
    seconds,
    seed: 41,
  };
  const people = await startLoad(plan, onSample).figures;
  flooding?.stop();
  const { p50Ms = 0, p99Ms = 0 } = people.byRoute[SOCKET_MESSAGES.answer] ?? {};
  return { people, flooders: await flooding?.figures, p50Ms: round(p50Ms), p99Ms: round(p99Ms) };
}

/** Until it is stopped, and no longer than `seconds`. */
function planOf(url: string, flood: FloodName, tokens: readonly string[], seconds: number): FloodPlan {
  return { kind: FLOOD, url, flood, sockets: FLOODERS, tokens, address: FLOOD_ADDRESS, seconds };
}

function described({ p50Ms, p99Ms, flooders }: Flooded): string {
  const sent = Math.round((flooders?.bytes ?? 0) / 1024 / 1024);
  return `ack p50 ${p50Ms} ms, p99 ${p99Ms} ms; ${flooders?.connections} connections, ${flooders?.admitted} let in, ${sent} MB sent`;
}
