import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Layout, startLayout } from '../layout/layout.ts';
import { signInSeeded } from '../load/accounts.ts';
import { type Balancer, startBalancer } from '../load/balancer.ts';
import { lostOf } from '../load/history.ts';
import type { Account } from '../load/plan.ts';
import { type RunningLoad, startLoad } from '../load/start-load.ts';
import { round, sum } from '../numbers.ts';
import type { LoadFigures } from '../types.ts';
import { failuresOf, type OwnLayoutContext, type OwnLayoutFindings, type OwnLayoutScenario } from './scenario.ts';

const FOLDER = path.resolve(import.meta.dirname, '..', '..', '.tardigrade', 'bench', 'rolling-replacement');
const SEED_SCALE = 0.1;
const MODES = ['tcp', 'http'] as const;
/** Through each of the balancers. */
const PER_SECOND = 60;
/** With Redis, without it, and with it again. */
const SECONDS = { ci: [8, 9, 8], full: [55, 65, 55] };
const REQUESTS_MIN = { ci: 2_000, full: 20_000 };
/** HAProxy notices after two probes, one each 500 ms; containers wait for five seconds (docker-compose.yml). */
const LAME_DUCK_MS = 2_500;
const TAKEN_BACK_MS = 20_000;
const POLL_MS = 50;
const INSTANCES = ['api', 'api-2'] as const;
const [WITH_REDIS, WITHOUT_REDIS] = ['with Redis', 'Redis stopped'];

/** A deploy, again and again: SIGTERM, the next process in its place, and then the other one. */
export const rollingReplacement: OwnLayoutScenario = {
  name: 'rolling-replacement',
  promise: 'rolling-replacement',
  line: `two api behind HAProxy, of which one or the other is being replaced all the time, Redis stopped for a third of it: at least ${REQUESTS_MIN.full.toLocaleString('en')} requests of an office day, none refused, failed or wrong, and nothing acknowledged is lost`,
  gates: true,
  profile: 'full',

  async run(context) {
    const environment = { LAME_DUCK_MS: String(LAME_DUCK_MS) };
    const layout = await startLayout({
      ...{ kind: 'two-each', seedScale: SEED_SCALE, folder: FOLDER, soft: context.soft, environment },
    });
    const balancers: Balancer[] = [];
    try {
      for (const mode of MODES) balancers.push(await startBalancer(FOLDER, layout.addresses.apis, mode));
      const accounts = await signInSeeded(layout.addresses.api);
      context.watch(layout);
      return await replaceUnderLoad(context, layout, balancers, accounts);
    } finally {
      context.watch(undefined);
      for (const balancer of balancers) await balancer.stop();
      await layout.stop();
    }
  },
};

async function replaceUnderLoad(
  context: OwnLayoutContext,
  layout: Layout,
  balancers: readonly Balancer[],
  accounts: readonly Account[],
): Promise<OwnLayoutFindings> {
  const histories = MODES.map((mode) => path.join(FOLDER, `history-${mode}.jsonl`));
  const running = balancers.map(({ url }, nth) => startDay(context, url, accounts, histories[nth] as string));
  const ended = Promise.all(running.map(({ figures }) => figures));
  const [replaced] = await Promise.all([
    replaceInTurn(layout, balancers, ended),
    stopRedisMeanwhile(layout, running[0] as RunningLoad<LoadFigures>),
  ]);
  const figures = await ended;
  const loads: Record<string, LoadFigures> = Object.fromEntries(
    MODES.map((mode, nth) => [mode, figures[nth] as LoadFigures]),
  );

  const failures = failuresOf(loads);
  const requests = sum(Object.values(loads).map(({ latency }) => latency.count));
  const withoutRedis = sum(Object.values(loads).map(({ byPhase }) => byPhase?.[WITHOUT_REDIS as string]?.count ?? 0));
  const { lost, acknowledged, sample } = await lostOf(
    layout.addresses.databaseUrl,
    context.workload.history,
    histories,
  );
  const least = REQUESTS_MIN[context.profile];
  return {
    conditions: [
      { says: `at least ${least} requests (${requests})`, holds: requests >= least },
      { says: `some of them without Redis (${withoutRedis})`, holds: withoutRedis >= least / 10 },
      { says: `each instance was replaced (${replaced} times in all)`, holds: replaced >= INSTANCES.length },
      {
        says: `none was refused, failed or wrong (${failures.refused}, ${failures.failed}, ${failures.wrong}: ${failures.sample || kindsOf(loads)})`,
        holds: failures.all === 0,
      },
      { says: `nothing that was acknowledged is lost (${lost} of ${acknowledged}: ${sample})`, holds: lost === 0 },
      { says: `no process died (${layout.deaths().join('; ')})`, holds: layout.deaths().length === 0 },
    ],
    inconclusive: layout.inconclusiveReasons(),
    figures: {
      requests,
      failed: failures.failed + failures.refused,
      wrong: failures.wrong,
      lost,
      acknowledged,
      replacements: replaced,
      requestsWithoutRedis: withoutRedis,
      p99Ms: round(Math.max(...Object.values(loads).map(({ latency }) => latency.p99Ms))),
    },
    boxes: Object.fromEntries([...layout.boxes].map(([name, box]) => [name, box.figures()])),
    memory: layout.memorySamples(),
    loads,
  };
}

function startDay(
  { profile, workload, onSample }: OwnLayoutContext,
  url: string,
  accounts: readonly Account[],
  historyFile: string,
): RunningLoad<LoadFigures> {
  const names = [WITH_REDIS, WITHOUT_REDIS, WITH_REDIS] as string[];
  return startLoad<LoadFigures>(
    {
      kind: 'open-loop',
      url,
      arrivals: 'poisson',
      seed: 47,
      phases: SECONDS[profile].map((seconds, nth) => ({ seconds, perSecond: PER_SECOND, name: names[nth] as string })),
      mix: workload.officeDay,
      accounts,
      historyFile,
    },
    onSample,
  );
}

async function stopRedisMeanwhile(layout: Layout, load: RunningLoad<LoadFigures>): Promise<void> {
  await load.event('phase 1');
  await layout.kill('redis', 'SIGKILL');
  await load.event('phase 2');
  await layout.restart('redis');
}

/** Until the load has ended. An instance is replaced when the balancers send people to the other one again. */
async function replaceInTurn(layout: Layout, balancers: readonly Balancer[], ended: Promise<unknown>): Promise<number> {
  let isOver = false;
  void ended.finally(() => {
    isOver = true;
  });
  let replaced = 0;
  while (!isOver) {
    const nth = replaced % INSTANCES.length;
    await layout.restart(INSTANCES[nth] as string);
    await takenBack(balancers, nth);
    replaced++;
  }
  return replaced;
}

async function takenBack(balancers: readonly Balancer[], nth: number): Promise<void> {
  const deadline = performance.now() + TAKEN_BACK_MS;
  for (const balancer of balancers) {
    while (!(await balancer.state())[nth]?.up) {
      if (performance.now() > deadline) throw new Error(`${INSTANCES[nth]} is not sent anybody`);
      await delay(POLL_MS);
    }
  }
}

function kindsOf(loads: Readonly<Record<string, LoadFigures>>): string {
  return Object.entries(loads)
    .map(([mode, { statuses }]) => `${mode} ${JSON.stringify(statuses)}`)
    .join(', ');
}
