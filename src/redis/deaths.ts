/**
 * What it is: processes that ended without being asked to are noticed, named and counted, and those that the kernel
 *   killed because of their memory are told from the others.
 * What fails without it: the platform restarts a killed process within a second, everything looks well, and the same
 *   happens every hour for months. A container's own count of such kills is gone with the container.
 * How it works: each report leaves a trace of the process in a hash; a stop that was asked for removes it, and is noted in
 *   PostgreSQL as well, for when Redis is down or loses that. A start finds the trace of the process whose place it takes;
 *   the mailers find those that nobody took over. Whoever removes a trace has noticed the death, so each is counted once. The cause is what the supervisor says (LAST_EXIT). Where it says
 *   nothing, or cannot tell, the memory of the last report decides: above OUT_OF_MEMORY_SHARE it was probably the kernel.
 * What it costs: one field of Redis per process, written with its report, and a row of PostgreSQL for each stop. A stop
 *   while both are down is taken for a death.
 * Its bound: LIVES_MAX, DEATHS_KEPT. Its proof: test/redis/deaths.test.ts, test/scripts/supervise.test.ts,
 *   test/scripts/container-entry.test.ts.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { ChainableCommander, Redis } from 'ioredis';
import { DEATHS_KEPT, LIVES_MAX, OUT_OF_MEMORY_SHARE } from '../limits.ts';
import type { AskedStops } from '../process/asked-stops.ts';
import type { ProcessReport } from '../process/metrics.ts';

export type DeathCause = 'oom' | 'crash';

export interface Death {
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  /** When it was last heard of, in milliseconds since 1970. */
  readonly at: number;
  readonly cause: DeathCause;
  /** In words. */
  readonly says: string;
}

/** Of what is the same, a sorted set keeps one, and two that ended before their first report may be the same but for this. */
type Kept = Death & { readonly id?: string };

interface Life {
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly seenAt: number;
  readonly usedBytes: number;
  readonly limitBytes: number;
  readonly limitIsEnforced: boolean;
}

const LIVES = 'tardigrade:lives';
const DEATHS = 'tardigrade:deaths';
const TOTALS = 'tardigrade:deaths:total';
const HOST = hostname();
const MB = 1024 * 1024;

/** Part of each report. */
export function leaveTrace(commands: ChainableCommander, report: ProcessReport): ChainableCommander {
  const { limitBytes, limitIsEnforced, rssBytes } = report.memory;
  const life: Life = {
    ...{ name: report.name, host: HOST, pid: report.pid, startedAt: report.startedAt, seenAt: Date.now() },
    ...{ usedBytes: report.own['memory_used_bytes'] ?? rssBytes, limitBytes, limitIsEnforced },
  };
  return commands.hset(LIVES, fieldOf(life), JSON.stringify(life));
}

/** For a stop that was asked for. */
export function removeTrace(commands: ChainableCommander, { name, pid }: ProcessReport): ChainableCommander {
  return commands.hdel(LIVES, fieldOf({ name, host: HOST, pid }));
}

/** The same, for a Redis that does not answer, or forgets it. */
export function noteStop(stops: AskedStops, { name, pid, startedAt }: ProcessReport): Promise<void> {
  return stops.note(nameOf({ name, host: HOST, pid, startedAt }));
}

/** Before the first report of a process: the deaths of those of its name on this host that no longer run. */
export async function noticePredecessors(
  redis: Redis,
  stops: AskedStops,
  report: ProcessReport,
  lastExit: string,
): Promise<Death[]> {
  const silent = (await lives(redis)).filter(
    ({ name, host, pid, startedAt }) =>
      name === report.name && host === HOST && (pid === report.pid ? startedAt !== report.startedAt : !isRunning(pid)),
  );
  const gone = await withoutAsked(redis, stops, silent);
  const told = causeSaid(lastExit);
  // The supervisor speaks of the last one only.
  const last = gone.toSorted((a, b) => a.seenAt - b.seenAt).at(-1);
  if (last === undefined && hasFailed(lastExit)) {
    const never = { name: report.name, host: HOST, pid: 0, seenAt: Date.now() };
    const says = `${report.name} ended (${lastExit}) before its first report`;
    return [await bury(redis, { ...never, cause: told ?? 'crash', says })];
  }
  return claim(redis, gone, (life) => (life === last ? told : undefined));
}

/**
 * The deaths of processes that have been silent for `silentMs` at this call and at the one before it: while Redis was
 * away, all of them were.
 */
export function createSilenceWatch(redis: Redis, stops: AskedStops, silentMs: number): () => Promise<Death[]> {
  let suspects = new Map<string, number>();
  return async () => {
    const silent = (await lives(redis)).filter(({ seenAt }) => Date.now() - seenAt > silentMs);
    const dead = silent.filter((life) => suspects.get(fieldOf(life)) === life.seenAt);
    suspects = new Map(silent.map((life) => [fieldOf(life), life.seenAt]));
    return claim(redis, await withoutAsked(redis, stops, dead), () => undefined);
  };
}

/** Newest first. */
export async function deathsSince(redis: Redis, sinceMs: number): Promise<Death[]> {
  const texts = await redis.zrevrangebyscore(DEATHS, '+inf', sinceMs, 'LIMIT', 0, DEATHS_KEPT);
  return texts.map((text) => {
    const { id: _, ...death } = JSON.parse(text) as Kept;
    return death;
  });
}

/** How many there were since Redis was empty. */
export async function deathTotals(redis: Redis): Promise<Readonly<Record<DeathCause, number>>> {
  const [oom, crash] = await redis.hmget(TOTALS, 'oom', 'crash');
  return { oom: Number(oom ?? 0), crash: Number(crash ?? 0) };
}

async function lives(redis: Redis): Promise<Life[]> {
  const all = Object.values(await redis.hgetall(LIVES)).map((text) => JSON.parse(text) as Life);
  return all.toSorted((a, b) => b.seenAt - a.seenAt).slice(0, LIVES_MAX);
}

/** Of those that left a trace all the same, it is removed here. */
async function withoutAsked(redis: Redis, stops: AskedStops, silent: readonly Life[]): Promise<Life[]> {
  const asked = await stops.among(silent.map(nameOf));
  const [stopped, gone] = [true, false].map((was) => silent.filter((life) => asked.has(nameOf(life)) === was));
  for (const life of stopped ?? []) await redis.hdel(LIVES, fieldOf(life));
  return gone ?? [];
}

/** Of several that have noticed the same death, one removes the trace, and counts it. */
async function claim(
  redis: Redis,
  dead: readonly Life[],
  told: (life: Life) => DeathCause | undefined,
): Promise<Death[]> {
  const claimed: Death[] = [];
  for (const life of dead) {
    if ((await redis.hdel(LIVES, fieldOf(life))) === 0) continue;
    const { name, host, pid, seenAt, usedBytes, limitBytes } = life;
    const cause = told(life) ?? causeSeen(life);
    const memory = `${Math.round(usedBytes / MB)} of ${Math.round(limitBytes / MB)} MB of memory in its last report`;
    const probably = told(life) === undefined ? 'probably ' : '';
    const how =
      cause === 'oom' ? `was ${probably}killed by the kernel because of its memory` : 'ended without being asked to';
    claimed.push(
      await bury(redis, { name, host, pid, seenAt, cause, says: `${name} (pid ${pid} on ${host}) ${how}: ${memory}` }),
    );
  }
  return claimed;
}

async function bury(redis: Redis, { seenAt, ...rest }: Omit<Death, 'at'> & { seenAt: number }): Promise<Death> {
  const death: Death = { ...rest, at: seenAt };
  const kept: Kept = { ...death, id: randomUUID() };
  await redis
    .multi()
    .zadd(DEATHS, Date.now(), JSON.stringify(kept))
    .zremrangebyrank(DEATHS, 0, -DEATHS_KEPT - 1)
    .hincrby(TOTALS, death.cause, 1)
    .exec();
  return death;
}

/** Also of a process that has the same pid after it. */
function nameOf(life: Pick<Life, 'name' | 'host' | 'pid' | 'startedAt'>): string {
  return `${fieldOf(life)} since ${life.startedAt}`;
}

function fieldOf({ name, host, pid }: Pick<Life, 'name' | 'host' | 'pid'>): string {
  return `${name}:${host}:${pid}`;
}

/** systemd's SERVICE_RESULT, or the words of our own supervisors; undefined where they say nothing or cannot tell. */
function causeSaid(lastExit: string): DeathCause | undefined {
  if (!hasFailed(lastExit) || lastExit.includes('may have been')) return undefined;
  return lastExit.startsWith('oom-kill') ? 'oom' : 'crash';
}

/** Otherwise than well: a process exits with 0 when it was asked to stop, and everything closed. */
function hasFailed(lastExit: string): boolean {
  return !['', 'success', 'exit code 0'].includes(lastExit);
}

function causeSeen({ usedBytes, limitBytes, limitIsEnforced }: Life): DeathCause {
  return limitIsEnforced && usedBytes >= limitBytes * OUT_OF_MEMORY_SHARE ? 'oom' : 'crash';
}

/** On this host. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
