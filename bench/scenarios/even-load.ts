import { Agent, request } from 'node:http';
import path from 'node:path';
import { type Layout, startLayout } from '../layout/layout.ts';
import { signInSeeded } from '../load/accounts.ts';
import { type Balancer, startBalancer } from '../load/balancer.ts';
import { round, sum } from '../numbers.ts';
import type { OwnLayoutFindings, OwnLayoutScenario } from './scenario.ts';

const FOLDER = path.resolve(import.meta.dirname, '..', '..', '.tardigrade', 'bench', 'even-load');
const SEED_SCALE = 0.1;
const CLIENTS = 30;
const EACH_MS = 100;
const COUNT_SECONDS = 10; // HAProxy counts the bytes of open connections every 5 s
const WITHIN_SECONDS = 60;
const SHARE_MAX = 1.3;

/** Clients that keep their connections, one instance, and then a second one. */
export const evenLoad: OwnLayoutScenario = {
  name: 'even-load',
  promise: 'even-load',
  line: `${CLIENTS} clients that keep their connections through HAProxy: ${WITHIN_SECONDS} s after a second api was added, neither takes more than ${SHARE_MAX} times its fair share, and no request has failed`,
  gates: true,
  profile: 'full',

  async run(context) {
    const layout = await startLayout({ kind: 'two-each', seedScale: SEED_SCALE, folder: FOLDER, soft: context.soft });
    const balancer = await startBalancer(FOLDER, layout.addresses.apis);
    try {
      context.watch(layout);
      return await addOne(layout, balancer);
    } finally {
      context.watch(undefined);
      await balancer.stop();
      await layout.stop();
    }
  },
};

async function addOne(layout: Layout, balancer: Balancer): Promise<OwnLayoutFindings> {
  const [account] = await signInSeeded(layout.addresses.api);
  await layout.kill('api-2', 'SIGKILL');
  while ((await balancer.state())[1]?.up) await pause(0.1);
  const clients = startClients(balancer.url, `Bearer ${account?.token}`);
  const before = await sharesOver(balancer);
  await layout.restart('api-2');
  const justAdded = await sharesOver(balancer);
  await pause(WITHIN_SECONDS - COUNT_SECONDS);
  const after = await sharesOver(balancer);
  const { answered, failed, why } = await clients.stop();
  const worst = Math.max(...after) * after.length;
  return {
    conditions: [
      { says: `the first had everything (${percent(before)})`, holds: (before[0] ?? 0) > 0.99 },
      {
        says: `no more than ${SHARE_MAX} times the fair share (${round(worst, 2)}: ${percent(after)})`,
        holds: worst <= SHARE_MAX,
      },
      { says: `no request failed (${failed} of ${answered + failed}: ${why})`, holds: failed === 0 },
    ],
    inconclusive: layout.inconclusiveReasons(),
    figures: {
      requests: answered,
      failed,
      before: percent(before),
      justAdded: percent(justAdded),
      after: percent(after),
      worstShare: round(worst, 2),
    },
    boxes: Object.fromEntries([...layout.boxes].map(([name, box]) => [name, box.figures()])),
    memory: layout.memorySamples(),
    covers: ['GET /api/v1/me'],
  };
}

/** Each with one connection that it keeps for as long as the server lets it. */
function startClients(url: string, authorization: string) {
  const counts = { answered: 0, failed: 0, why: '' };
  let stopping = false;
  const running = Array.from({ length: CLIENTS }, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!stopping) {
      const due = performance.now() + EACH_MS;
      const why = await ask(`${url}/api/v1/me`, agent, authorization);
      if (why === undefined) counts.answered++;
      else Object.assign(counts, { failed: counts.failed + 1, why });
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    }
    agent.destroy();
  });
  return {
    async stop() {
      stopping = true;
      await Promise.all(running);
      return counts;
    },
  };
}

/** Resolves with what went wrong. */
function ask(url: string, agent: Agent, authorization: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    request(url, { agent, headers: { authorization } }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode === 200 ? undefined : `${response.statusCode}`));
    })
      .on('error', (error) => resolve(error.message))
      .end();
  });
}

/** Of the bytes that went out meanwhile: all answers are the same. */
async function sharesOver(balancer: Balancer): Promise<number[]> {
  const before = await balancer.state();
  await pause(COUNT_SECONDS);
  const bytes = (await balancer.state()).map((now, nth) => now.bytes - (before[nth]?.bytes ?? 0));
  const total = sum(bytes);
  return bytes.map((own) => own / total);
}

const percent = (shares: readonly number[]) => shares.map((share) => `${Math.round(share * 100)} %`).join(' and ');
const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
