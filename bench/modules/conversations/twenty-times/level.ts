/** One level of one rung: so many users chat, people teams work, a campaign goes out; and whether all of it was held. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Layout } from '../../../layout/layout.ts';
import { ELU_MAX } from '../../../load/limits.ts';
import type { FixedRequest, LoadSample } from '../../../load/plan.ts';
import { startLoad } from '../../../load/start-load.ts';
import { round, sum } from '../../../numbers.ts';
import { failuresOf } from '../../../scenarios/scenario.ts';
import type { LoadFigures } from '../../../types.ts';
import { SOCKET_MESSAGES, SOCKETS, type SocketFigures, type SocketsPlan } from '../sockets-plan.ts';
import type { GoingOut } from './going-out.ts';
import { inviteEverywhere } from './invite-everywhere.ts';
import {
  ACK_P99_MS_MAX,
  ANSWERED_SHARE_MIN,
  DASHBOARD_P95_MS_MAX,
  DASHBOARD_PER_SECOND,
  FAILED_SHARE_MAX,
  LATE_SHARE_MAX,
  MAILS_PER_SECOND_MIN,
  THINK_MS,
  type Times,
} from './limits.ts';

export interface Rig {
  readonly layout: Layout;
  readonly database: Client;
  readonly goingOut: GoingOut;
  readonly dashboard: readonly FixedRequest[];
  readonly times: Times;
  /** One per chat process. */
  readonly historyFiles: readonly string[];
  readonly onSample: (sample: LoadSample) => void;
}

export interface Level {
  readonly users: number;
  readonly held: boolean;
  /** What was not held, the worst first. */
  readonly broke: readonly string[];
  /** Why the generator may be what broke; empty when it was not. */
  readonly generator: readonly string[];
  readonly answersPerSecond: number;
  readonly ackP99Ms: number;
  readonly dashboardP95Ms: number;
  readonly mailsPerSecond: number;
}

export async function tryLevel(rig: Rig, users: number): Promise<Level> {
  const { layout, database, goingOut, dashboard, times, historyFiles, onSample } = rig;
  const { connectSeconds, warmUpSeconds, countedSeconds } = times;
  const deathsBefore = layout.deaths().length;
  const seconds = warmUpSeconds + countedSeconds;
  const doors = historyFiles.length;
  // A few more, for those who come to the end.
  const tokens = await inviteEverywhere(database, layout.addresses.secretKey, Math.ceil(users * 1.05) + 20 * doors);
  const chatting = historyFiles.map((historyFile, door) => {
    const plan: SocketsPlan = {
      kind: SOCKETS,
      url: layout.addresses.chats[door] as string,
      tokens: tokens.filter((_, place) => place % doors === door),
      atOnce: Math.floor(users / doors),
      connectSeconds,
      warmUpSeconds,
      mode: 'steady',
      pace: { kind: 'think', ...THINK_MS },
      seconds: seconds - connectSeconds,
      seed: users + door,
      historyFile,
    };
    return startLoad(plan, door === 0 ? onSample : undefined);
  });
  const working = startLoad({
    kind: 'open-loop',
    url: layout.addresses.api,
    arrivals: 'poisson',
    seed: 3,
    phases: [{ seconds, perSecond: DASHBOARD_PER_SECOND }],
    warmUpSeconds,
    requests: dashboard,
  });
  const mailing = mailsPerSecond(goingOut, warmUpSeconds, countedSeconds);
  const [chats, day, mails] = await Promise.all([
    Promise.all(chatting.map(({ figures }) => figures)),
    working.figures,
    mailing,
  ]);

  const acks = chats.map(({ byRoute }) => byRoute[SOCKET_MESSAGES.answer]);
  const found = {
    answersPerSecond: round(sum(acks.map((ack) => ack?.count ?? 0)) / countedSeconds),
    // Of the process that was slower.
    ackP99Ms: round(Math.max(...acks.map((ack) => ack?.p99Ms ?? 0))),
    dashboardP95Ms: round(day.latency.p95Ms),
    mailsPerSecond: round(mails),
  };
  const broke = brokenOf({ users, chats, day, ...found, deaths: layout.deaths().slice(deathsBefore) });
  const generator = [
    ...new Set(chats.flatMap((chat) => limitsOf('chat', chat, ACK_P99_MS_MAX))),
    ...limitsOf('dashboard', day, DASHBOARD_P95_MS_MAX),
  ];
  return { users, held: broke.length === 0, broke, generator, ...found };
}

async function mailsPerSecond({ sent }: GoingOut, fromSeconds: number, seconds: number): Promise<number> {
  await delay(fromSeconds * 1000);
  const [before, begun] = [await sent(), performance.now()];
  await delay(seconds * 1000);
  return ((await sent()) - before) / ((performance.now() - begun) / 1000);
}

interface Measured extends Pick<Level, 'users' | 'ackP99Ms' | 'dashboardP95Ms' | 'mailsPerSecond'> {
  readonly chats: readonly SocketFigures[];
  readonly day: LoadFigures;
  readonly deaths: readonly string[];
}

/** Exported for its test. */
export function brokenOf(found: Measured): string[] {
  const { users, chats, day, ackP99Ms, dashboardP95Ms, mailsPerSecond: mails, deaths } = found;
  const faults: [excess: number, says: string][] = [];
  const limit = (says: string, value: number, most: number) => {
    if (value > most) faults.push([value / most, says]);
  };
  for (const death of deaths) faults.push([Number.POSITIVE_INFINITY, death.split('\n')[0] as string]);
  const connected = sum(chats.map(({ connectedMax }) => connectedMax));
  limit(`${connected} of ${users} users got in`, users, connected);
  limit(`ack p99 ${ackP99Ms} ms`, ackP99Ms, ACK_P99_MS_MAX);
  limit(`dashboard p95 ${dashboardP95Ms} ms`, dashboardP95Ms, DASHBOARD_P95_MS_MAX);
  limit(`${mails} mails a second`, MAILS_PER_SECOND_MIN, mails);
  const measured: [name: string, figures: LoadFigures][] = [
    ...chats.map((chat): [string, LoadFigures] => ['chat', chat]),
    ['dashboard', day],
  ];
  for (const [name, figures] of measured) {
    const { achievedPerSecond, offeredPerSecond, latency } = figures;
    const { refused, failed, wrong, sample } = failuresOf({ figures });
    const share = (refused + failed) / Math.max(1, latency.count + refused);
    limit(`${name}: ${refused} refused, ${failed} failed`, share, FAILED_SHARE_MAX);
    limit(`${name}: ${wrong} wrong (${sample})`, wrong, 0);
    const answered = offeredPerSecond === 0 ? 0 : achievedPerSecond / offeredPerSecond;
    limit(`${name}: ${Math.round(answered * 100)} % answered in time`, ANSWERED_SHARE_MIN, answered);
  }
  return faults.sort(([a], [b]) => b - a).map(([, says]) => says);
}

function limitsOf(name: string, { generatorElu, lateStartP99Ms }: LoadFigures, limitMs: number): string[] {
  return [
    ...(generatorElu > ELU_MAX
      ? [`the ${name}'s generator was busy ${Math.round(generatorElu * 100)} % of the time`]
      : []),
    ...(lateStartP99Ms > LATE_SHARE_MAX * limitMs
      ? [`the ${name}'s generator was ${Math.round(lateStartP99Ms)} ms late`]
      : []),
  ];
}
