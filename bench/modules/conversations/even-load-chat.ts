import path from 'node:path';
import { type Layout, startLayout } from '../../layout/layout.ts';
import { type Balancer, startBalancer } from '../../load/balancer.ts';
import { lostOf } from '../../load/history.ts';
import { startLoad } from '../../load/start-load.ts';
import { round, sum } from '../../numbers.ts';
import type { OwnLayoutContext, OwnLayoutFindings, OwnLayoutScenario } from '../../scenarios/scenario.ts';
import { CONVERSATION_HISTORY } from './history.ts';
import { invite } from './invite.ts';
import { SOCKET_MESSAGES, SOCKETS, type SocketsPlan } from './sockets-plan.ts';

const FOLDER = path.resolve(import.meta.dirname, '..', '..', '..', '.tardigrade', 'bench', 'even-load');
const SEED_SCALE = 0.25;
const PEOPLE = 300;
const QUESTIONS = 40; // more than anybody answers meanwhile
const THINK_MS = { minMs: 2_000, maxMs: 5_000 };
const ALONE_SECONDS = 10;
const WITHIN_SECONDS = 60;
const SECONDS_MAX = 150;
const SHARE_MAX = 1.3;

/** People in their check-ins, one chat process, and then a second one. */
export const evenLoadChat: OwnLayoutScenario = {
  name: 'even-load-chat',
  promise: 'even-load-chat',
  line: `${PEOPLE} people in their check-ins through HAProxy: ${WITHIN_SECONDS} s after a second chat was added, neither has more than ${SHARE_MAX} times its fair share, and no answer is lost`,
  gates: true,
  profile: 'full',

  async run(context) {
    const layout = await startLayout({ kind: 'two-each', seedScale: SEED_SCALE, folder: FOLDER, soft: context.soft });
    const balancer = await startBalancer(FOLDER, layout.addresses.chats);
    try {
      context.watch(layout);
      return await addOne(context, layout, balancer);
    } finally {
      context.watch(undefined);
      await balancer.stop();
      await layout.stop();
    }
  },
};

async function addOne(context: OwnLayoutContext, layout: Layout, balancer: Balancer): Promise<OwnLayoutFindings> {
  const historyFile = path.join(FOLDER, 'even-load-chat.jsonl');
  const tokens = await invite(layout.addresses, { people: PEOPLE, questions: QUESTIONS });
  await layout.kill('chat-2', 'SIGKILL');
  while ((await balancer.state())[1]?.up) await pause(0.1);
  const plan: SocketsPlan = {
    kind: SOCKETS,
    url: balancer.url,
    tokens,
    connectSeconds: 3,
    mode: 'steady',
    pace: { kind: 'think', ...THINK_MS },
    seconds: SECONDS_MAX,
    seed: 31,
    historyFile,
  };
  const load = startLoad(plan, context.onSample);
  await load.event('connected');
  await pause(ALONE_SECONDS);
  const before = await sharesOf(balancer);
  await layout.restart('chat-2');
  const justAdded = await sharesOf(balancer);
  await pause(WITHIN_SECONDS);
  const after = await sharesOf(balancer);
  load.stop();
  const figures = await load.figures;
  const { lost, sample } = await lostOf(layout.addresses.databaseUrl, CONVERSATION_HISTORY, [historyFile]);
  const worst = Math.max(...after) * after.length;
  const { wrong, wrongSamples, failed, acknowledged, lostConnections } = figures;
  const ackP99Ms = round(figures.byRoute[SOCKET_MESSAGES.answer]?.p99Ms ?? 0);
  return {
    conditions: [
      { says: `the first had everybody (${percent(before)})`, holds: (before[0] ?? 0) > 0.99 },
      {
        says: `no more than ${SHARE_MAX} times the fair share (${round(worst, 2)}: ${percent(after)})`,
        holds: worst <= SHARE_MAX,
      },
      {
        says: `no answer lost (${lost}: ${sample}), failed (${failed}) or wrong (${wrong}: ${wrongSamples[0] ?? ''})`,
        holds: lost + failed + wrong === 0,
      },
      {
        says: `everybody moved at most once or so (${lostConnections} of ${PEOPLE})`,
        holds: lostConnections <= PEOPLE,
      },
    ],
    inconclusive: layout.inconclusiveReasons(),
    figures: {
      answers: acknowledged,
      moved: lostConnections,
      before: percent(before),
      justAdded: percent(justAdded),
      after: percent(after),
      worstShare: round(worst, 2),
      ackP99Ms,
    },
    loads: { chat: figures },
    boxes: Object.fromEntries([...layout.boxes].map(([name, box]) => [name, box.figures()])),
    memory: layout.memorySamples(),
  };
}

/** Of the connections that are open. */
async function sharesOf(balancer: Balancer): Promise<number[]> {
  const open = (await balancer.state()).map(({ connections }) => connections);
  const total = sum(open);
  return open.map((own) => own / total);
}

const percent = (shares: readonly number[]) => shares.map((share) => `${Math.round(share * 100)} %`).join(' and ');
const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
