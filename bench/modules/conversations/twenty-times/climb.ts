/** One rung, in boxes of its own and on fresh data: how many users it holds. */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { seedOrganisations } from '../../../../src/modules/accounts/seed.ts';
import { call } from '../../../call.ts';
import { type Layout, startLayout } from '../../../layout/layout.ts';
import { signInOf } from '../../../load/accounts.ts';
import { lostOf } from '../../../load/history.ts';
import type { Account } from '../../../load/plan.ts';
import { round } from '../../../numbers.ts';
import type { OwnLayoutContext } from '../../../scenarios/scenario.ts';
import { CONVERSATION_HISTORY } from '../history.ts';
import { dashboardRequests } from './dashboard.ts';
import { createGoingOut } from './going-out.ts';
import { type Level, type Rig, tryLevel } from './level.ts';
import { POLL_MS, QUIET_MS, QUIET_WAIT_MS, TIMES } from './limits.ts';
import type { Rung } from './rungs.ts';
import { searchHeld } from './search.ts';

export interface Climbed {
  readonly rung: string;
  /** Concurrent chat users within the service level; 0 when no level that was tried was held. */
  readonly users: number;
  /** The generator, or the highest number that is tried, was the limit. */
  readonly isAtLeast: boolean;
  /** What broke first at the lowest level that was not held. */
  readonly broke: string;
  /** At the highest level that was held; where none was, at the lowest that was tried. */
  readonly answersPerSecond: number;
  readonly ackP99Ms: number;
  readonly dashboardP95Ms: number;
  readonly mailsPerSecond: number;
  /** Of the process that needed most. */
  readonly peakMb: number;
  readonly peakOf: string;
  readonly oomKills: number;
  /** Acknowledged answers that the database does not hold as acknowledged. */
  readonly lost: number;
  readonly levels: readonly Level[];
  readonly faults: readonly string[];
}

const SEED_SCALE = 1;
const ROOT = path.resolve(import.meta.dirname, '..', '..', '..', '..');
const MB = 1024 * 1024;
/** One after the other: the data is cold, and the first level must not be the one to find that out. */
const WARMING_REQUESTS = 60;

/** The search begins where the rung below ended. */
export async function climb(context: OwnLayoutContext, rung: Rung, first: number): Promise<Climbed> {
  const layout = await start(context, rung).catch((error: Error) => {
    // A server that was not ready in time says nothing about the rung, and the others have taken half an hour.
    context.say(`  ${rung.name} is started again: ${error.message}`);
    return start(context, rung);
  });
  context.watch(layout);
  const database = new Client({ connectionString: layout.addresses.databaseUrl, application_name: 'bench-ladder' });
  // A connection that is lost while nothing is asked would end the whole run; the next query says so as well.
  database.on('error', () => undefined);
  try {
    await database.connect();
    return await measure(context, rung, first, layout, database);
  } finally {
    context.watch(undefined);
    await database.end();
    await layout.stop();
  }
}

function start({ soft }: OwnLayoutContext, { layout }: Rung): Promise<Layout> {
  const folder = path.join(ROOT, '.tardigrade', 'bench', 'twenty-times');
  return startLayout({ seedScale: SEED_SCALE, folder, soft, ...layout });
}

async function measure(
  { profile, say, onSample }: OwnLayoutContext,
  rung: Rung,
  first: number,
  layout: Layout,
  database: Client,
): Promise<Climbed> {
  const times = TIMES[profile];
  const { api, databaseUrl } = layout.addresses;
  const owners = await ownersOf(api);
  const goingOut = createGoingOut(database, api, owners);
  const historyFiles = layout.addresses.chats
    .slice(0, rung.chats)
    .map((_, door) => path.join(ROOT, '.tardigrade', 'bench', 'twenty-times', `answers-${door}.jsonl`));
  const dashboard = await dashboardRequests(database, owners);
  const rig: Rig = { layout, database, goingOut, dashboard, times, historyFiles, onSample };
  for (const request of dashboard.slice(0, WARMING_REQUESTS))
    await call(api, request.path, { headers: request.headers });
  const levels: Level[] = [];
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;

  const { held, notHeld } = await searchHeld(
    async (users) => {
      const level = await makeReady(rig, owners)
        .then(() => tryLevel(rig, users))
        .catch((error: Error) => notEvenTried(users, error));
      levels.push(level);
      say(`  ${rung.name}, ${users} users: ${level.held ? 'held' : level.broke.join('; ')} (${described(level)})`);
      return level.held;
    },
    {
      first,
      max: times.usersMax * rung.chats,
      mayGoOn: (_, isNarrowing) => seconds() < (isNarrowing ? times.narrowSeconds : times.rungSeconds),
    },
  );

  const best = levels.find(({ users }) => users === (held > 0 ? held : notHeld));
  const broken = levels.find(({ users }) => users === notHeld);
  const { lost } = await lostOf(databaseUrl, CONVERSATION_HISTORY, historyFiles);
  return {
    rung: rung.name,
    users: held,
    isAtLeast: notHeld === undefined || (broken?.generator.length ?? 0) > 0,
    broke: [...(broken?.broke.slice(0, 2) ?? []), ...(lost > 0 ? [`${lost} answers lost`] : [])].join('; '),
    answersPerSecond: best?.answersPerSecond ?? 0,
    ackP99Ms: best?.ackP99Ms ?? 0,
    dashboardP95Ms: best?.dashboardP95Ms ?? 0,
    mailsPerSecond: best?.mailsPerSecond ?? 0,
    ...memoryOf(layout),
    lost,
    levels,
    faults: layout.inconclusiveReasons(),
  };
}

/** The level before has left it in a state in which nothing can be asked. */
function notEvenTried(users: number, { message }: Error): Level {
  const nothing = { answersPerSecond: 0, ackP99Ms: 0, dashboardP95Ms: 0, mailsPerSecond: 0 };
  return { users, held: false, broke: [message.split('\n')[0] as string], generator: [], ...nothing };
}

/** Whatever the level before has left is over, the dead live again, and mails are going out. */
async function makeReady({ layout, goingOut }: Rig, [owner]: readonly Account[]): Promise<void> {
  for (const part of layout.parts) {
    if (layout.pid(part) !== undefined) continue;
    await layout.restart(part);
    goingOut.forget();
  }
  const deadline = Date.now() + QUIET_WAIT_MS;
  while (!(await isQuiet(layout.addresses.api, owner)) && Date.now() < deadline) await delay(POLL_MS);
  await goingOut.keepUp();
}

function isQuiet(apiUrl: string, owner: Account | undefined): Promise<boolean> {
  const headers = { authorization: `Bearer ${owner?.token}` };
  return fetch(new URL('/api/v1/me', apiUrl), { headers, signal: AbortSignal.timeout(QUIET_MS) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function ownersOf(apiUrl: string): Promise<Account[]> {
  const owners: Account[] = [];
  for (const { domain } of seedOrganisations(SEED_SCALE)) owners.push(await signInOf(apiUrl, `owner@${domain}`));
  return owners;
}

function memoryOf({ boxes }: Layout): Pick<Climbed, 'peakMb' | 'peakOf' | 'oomKills'> {
  const workers = ['api', 'chat', 'chat-2', 'mailer'].flatMap((name) => {
    const box = boxes.get(name);
    return box === undefined ? [] : [{ name, ...box.figures() }];
  });
  const most = workers.reduce((a, b) => (b.neededPeakBytes > a.neededPeakBytes ? b : a));
  const oomKills = [...boxes.values()].reduce((total, box) => total + box.figures().oomKills, 0);
  return { peakMb: round(most.neededPeakBytes / MB), peakOf: workers.length === 1 ? 'all' : most.name, oomKills };
}

function described({ answersPerSecond, ackP99Ms, dashboardP95Ms, mailsPerSecond, generator }: Level): string {
  const figures = `${answersPerSecond} answers/s, ack p99 ${ackP99Ms} ms, dashboard p95 ${dashboardP95Ms} ms, ${mailsPerSecond} mails/s`;
  return [figures, ...generator].join('; ');
}
