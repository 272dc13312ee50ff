/** The primary's machine is lost under load, then that of the one that took its place. */
import { mkdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { whyNoOperatorTools } from '../../scripts/embedded/operator-tools.ts';
import { type Cluster, openCluster } from '../failover/cluster.ts';
import type { NodeName } from '../failover/patroni.ts';
import { type Layout, startLayout } from '../layout/layout.ts';
import type { PartName } from '../layout/parts.ts';
import { signInSeeded } from '../load/accounts.ts';
import { lostOf } from '../load/history.ts';
import { round, sum } from '../numbers.ts';
import { type DayLoad, loadsOf, startDay } from './day.ts';
import { type Failures, failuresOf, type OwnLayoutContext, type OwnLayoutFindings } from './scenario.ts';

const FOLDER = path.resolve(import.meta.dirname, '..', '..', '.tardigrade', 'bench', 'primary-lost');
const SEED_SCALE = 1;
const PER_SECOND = 30;
const ROUNDS = 2;
const CALM_SECONDS = 8;
const ROUND_SECONDS = 55;
const DAY_SECONDS = ROUNDS * ROUND_SECONDS + CALM_SECONDS;
const FAILOVER_SECONDS_MAX = 45;
const TAKEN_BACK_SECONDS_MAX = 30;
const LOOK_MS = 50;
const WORKERS: readonly PartName[] = ['api', 'chat', 'mailer'];

export interface Lost {
  readonly findings: Omit<OwnLayoutFindings, 'conditions' | 'figures'>;
  readonly acknowledged: number;
  readonly lost: number;
  readonly sample: string;
  readonly failures: Failures;
  readonly rounds: readonly Round[];
  /** Of product processes: those that died, and those whose process is another one now. */
  readonly restarts: number;
  readonly version: string;
}

export interface Round {
  /** From the last acknowledged write before the kill to the first one after it. */
  readonly secondsWithoutWrites: number;
  readonly secondsUntilNewPrimary: number;
  /** From the start of the old machine, or from where it went on, until it was sent reads as a replica. */
  readonly secondsUntilTakenBack: number;
}

type Manner = 'killed' | 'hung';

interface Way {
  readonly says: string;
  lose(layout: Layout, victim: NodeName): Promise<void>;
  bringBack(layout: Layout, victim: NodeName): Promise<void>;
}

const WAYS: Readonly<Record<Manner, Way>> = {
  killed: {
    says: 'kill -9 of',
    lose: (layout, victim) => layout.kill(victim, 'SIGKILL'),
    bringBack: (layout, victim) => layout.restart(victim),
  },
  hung: {
    says: 'SIGSTOP of',
    lose: (layout, victim) => layout.kill(victim, 'SIGSTOP'),
    bringBack: (layout, victim) => layout.kill(victim, 'SIGCONT'),
  },
};

export interface LosePrimaryOptions {
  /** Whether a commit waits for the replica. */
  readonly synchronous: boolean;
  /** `hung`: every process of the machine stops and, when another one leads, goes on. Default: all of them are killed. */
  readonly manner?: Manner;
  /** For how long before each kill the replica gets nothing: what a slow line between two sites does. */
  readonly stallMs?: number;
}

/** @returns what this machine lacks, in words, or what was found */
export async function losePrimary(context: OwnLayoutContext, options: LosePrimaryOptions): Promise<Lost | string> {
  const lacks = whyNoOperatorTools();
  if (lacks !== undefined) return lacks;
  let cluster: Cluster | undefined;
  const layout = await startLayout({
    kind: 'nano-each',
    seedScale: SEED_SCALE,
    folder: FOLDER,
    soft: context.soft,
    onProgress: (step, ms) => context.say(`${step}, ${round(ms / 1000)} s`),
    async openDatabases(folder) {
      cluster = await openCluster({ folder, synchronous: options.synchronous });
      return cluster;
    },
  });
  try {
    return await loseTwice(context, layout, cluster as unknown as Cluster, options);
  } finally {
    context.watch(undefined);
    await layout.stop();
  }
}

async function loseTwice(
  context: OwnLayoutContext,
  layout: Layout,
  cluster: Cluster,
  { synchronous, stallMs = 0, manner = 'killed' }: LosePrimaryOptions,
): Promise<Lost> {
  const { benches, workload, onSample } = context;
  const accounts = await signInSeeded(layout.addresses.api);
  context.watch(layout, accounts[0]);
  const before = WORKERS.map((name) => layout.pid(name));
  const histories = path.join(FOLDER, 'history');
  rmSync(histories, { recursive: true, force: true });
  mkdirSync(histories, { recursive: true });
  const day = await startDay(
    { layout, accounts, benches, workload, onSample, historyFile: path.join(histories, 'day.jsonl') },
    { seconds: DAY_SECONDS, perSecond: PER_SECOND, seed: 17 },
  );
  const writes = watchWrites(day.histories);
  const rounds: Round[] = [];
  for (let number = 1; number <= ROUNDS; number++) {
    await sleep(CALM_SECONDS * 1000);
    const victim = await until(FAILOVER_SECONDS_MAX, 'somebody leads', () => cluster.leader());
    if (synchronous) await until(FAILOVER_SECONDS_MAX, 'a replica may take over', () => cluster.hasSuccessor());
    context.say(`${WAYS[manner].says} everything on the machine of ${victim}, which leads`);
    rounds.push(await lose(layout, cluster, victim, writes, { stallMs, way: WAYS[manner] }));
    context.say(`round ${number}: ${JSON.stringify(rounds.at(-1))}`);
  }
  const loads = await day.ended;
  writes.stop();
  const { lost, acknowledged, sample } = await lostOf(layout.addresses.databaseUrl, workload.history, day.histories);
  return {
    lost,
    acknowledged,
    sample,
    rounds,
    failures: failuresOf(loadsOf(loads)),
    restarts: layout.deaths().length + WORKERS.filter((name, nth) => layout.pid(name) !== before[nth]).length,
    version: await versionOf(layout.addresses.databaseUrl),
    findings: findingsOf(layout, loads),
  };
}

async function lose(
  layout: Layout,
  cluster: Cluster,
  victim: NodeName,
  writes: Writes,
  { stallMs, way }: { readonly stallMs: number; readonly way: Way },
): Promise<Round> {
  if (stallMs > 0) await stallReplication(layout.addresses.databaseAdminUrl, stallMs);
  const killedAt = performance.now();
  await way.lose(layout, victim);
  await until(FAILOVER_SECONDS_MAX, 'the other one leads', async () => {
    const leader = await cluster.leader();
    return leader === undefined || leader === victim ? undefined : leader;
  });
  const secondsUntilNewPrimary = secondsSince(killedAt);
  await until(FAILOVER_SECONDS_MAX, 'a write is acknowledged', async () => writes.lastAt() > killedAt + 1_000);
  const secondsWithoutWrites = round(writes.longestGapSince(killedAt) / 1000, 1);

  const sent = await cluster.readsSentTo(victim);
  const restartedAt = performance.now();
  await way.bringBack(layout, victim);
  await until(TAKEN_BACK_SECONDS_MAX, 'the old primary takes reads', async () => {
    return (await cluster.readsSentTo(victim)) > sent;
  });
  return { secondsWithoutWrites, secondsUntilNewPrimary, secondsUntilTakenBack: secondsSince(restartedAt) };
}

interface Writes {
  /** When the last write was acknowledged; milliseconds of performance.now(). */
  lastAt(): number;
  /** The longest time between two acknowledged writes, from the last one before `since` on. */
  longestGapSince(since: number): number;
  stop(): void;
}

/** The generators write a line as soon as a write is acknowledged, so a file that grows is a write that came through. */
function watchWrites(files: readonly string[]): Writes {
  const times: number[] = [performance.now()];
  let known = 0;
  const timer = setInterval(() => {
    const bytes = sum(files.map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0));
    if (bytes > known) times.push(performance.now());
    known = bytes;
  }, LOOK_MS);
  return {
    lastAt: () => times.at(-1) ?? 0,
    longestGapSince(since) {
      const first = Math.max(1, times.findIndex((at) => at > since) - 1);
      return Math.max(...times.slice(first).map((at, nth) => at - (times[first + nth - 1] ?? at)), 0);
    },
    stop: () => clearInterval(timer),
  };
}

/** Stops the processes that send the log to replicas; those end with the machine. */
async function stallReplication(adminUrl: string, ms: number): Promise<void> {
  const senders = await rowsOf<{ pid: number }>(adminUrl, 'select pid from pg_stat_replication');
  for (const { pid } of senders) process.kill(pid, 'SIGSTOP');
  await sleep(ms);
}

async function versionOf(databaseUrl: string): Promise<string> {
  return (await rowsOf<{ server_version: string }>(databaseUrl, 'show server_version'))[0]?.server_version ?? '';
}

async function rowsOf<Row extends object>(connectionString: string, text: string): Promise<Row[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

function findingsOf(layout: Layout, loads: readonly DayLoad[]): Lost['findings'] {
  return {
    inconclusive: layout.inconclusiveReasons(),
    loads: loadsOf(loads),
    boxes: Object.fromEntries([...layout.boxes].map(([name, box]) => [name, box.figures()])),
    memory: layout.memorySamples(),
  };
}

async function until<T>(seconds: number, what: string, holds: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const found = await holds();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(LOOK_MS);
  }
}

const secondsSince = (at: number) => round((performance.now() - at) / 1000, 1);

/** With a commit that waits for the replica: what the promise says, and what was found. */
export function judgeLost(found: Lost, secondsMax: number): OwnLayoutFindings {
  const { acknowledged, lost, sample, failures, rounds, restarts } = found;
  const without = rounds.map(({ secondsWithoutWrites }) => secondsWithoutWrites);
  const takenBack = rounds.map(({ secondsUntilTakenBack }) => secondsUntilTakenBack);
  return {
    ...found.findings,
    conditions: [
      { says: `something was acknowledged (${acknowledged})`, holds: acknowledged > 0 },
      { says: `nothing that was acknowledged is lost (${lost}: ${sample})`, holds: lost === 0 },
      {
        says: `writes are back within ${secondsMax} s (${without.join(' s, ')} s)`,
        holds: Math.max(...without) < secondsMax,
      },
      {
        says: `no wrong answer and no stale own read (${failures.wrong}: ${failures.sample})`,
        holds: failures.wrong === 0,
      },
      { says: `no process of the product died or was restarted (${restarts})`, holds: restarts === 0 },
    ],
    figures: {
      acknowledged,
      lost,
      secondsWithoutWrites: Math.max(...without),
      wrong: failures.wrong,
      restarts,
      failedMeanwhile: failures.failed,
      refusedMeanwhile: failures.refused,
      secondsUntilNewPrimary: Math.max(...rounds.map(({ secondsUntilNewPrimary }) => secondsUntilNewPrimary)),
      secondsUntilTakenBack: Math.max(...takenBack),
      postgres: found.version,
    },
  };
}
