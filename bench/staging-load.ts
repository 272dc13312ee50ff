/**
 * `npm run staging:load [-- --seconds=60] [--per-second=30] [--url=… --email=… --password=…]`: an office day on a staging
 * product, the one that runs in .tardigrade-staging or the one at --url. Every answer is checked. What does not say that
 * it is staging is refused. Exit code 1 when an answer is wrong or a request fails.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { readStackFile } from '../scripts/embedded/stack-file.ts';
import { SEED_LOGIN } from '../scripts/seed.ts';
import { argumentsOrExit, countIn } from './arguments.ts';
import { signIn } from './load/accounts.ts';
import { admitStaging } from './load/may-load.ts';
import type { Account } from './load/plan.ts';
import { askableBy } from './load/requests.ts';
import { startLoad } from './load/start-load.ts';
import { createWorkload } from './load/workload.ts';
import { loadBenches } from './modules.ts';
import { round } from './numbers.ts';
import { failuresOf } from './scenarios/scenario.ts';

const FOLDER = path.resolve(import.meta.dirname, '..', '.tardigrade-staging');
const USERS_MAX = 9; // three in each of three organisations: a sign-in is a password hash
const SECONDS_MAX = 24 * 60 * 60;
const PER_SECOND_MAX = 10_000;

const options = argumentsOrExit(
  'npm run staging:load -- [--seconds=60] [--per-second=30] [--folder=path] [--url=http://… --email=… --password=…]',
  (args) => {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({
      args,
      options: {
        seconds: { ...text, default: '60' },
        'per-second': { ...text, default: '30' },
        folder: { ...text, default: FOLDER },
        ...{ url: text, email: text, password: text },
      },
    });
    return {
      seconds: countIn('seconds', values.seconds, SECONDS_MAX),
      perSecond: countIn('per-second', values['per-second'], PER_SECOND_MAX),
      ...{ url: values.url, email: values.email, password: values.password, folder: path.resolve(values.folder) },
    };
  },
);

try {
  const stack = readStackFile(options.folder);
  const url = options.url ?? stack?.urls.api;
  if (url === undefined) throw new Error('No staging runs: npm run staging, or name one with --url=http://…');
  await admitStaging(url);
  const accounts = await signInAll(url, options.url === undefined ? stack?.databaseUrl : undefined);
  const { seconds, perSecond } = options;
  const { officeDay, steps } = createWorkload(await loadBenches());
  const load = startLoad(
    {
      ...{ kind: 'open-loop', arrivals: 'poisson', seed: 1, url, accounts },
      phases: [{ seconds, perSecond }],
      // On a product that is not ours none of them may run the platform.
      mix: askableBy(accounts, officeDay, steps),
    },
    ({ atSeconds, perSecond: now, p99Ms, failed, wrong }) =>
      console.log(
        `${String(Math.round(atSeconds)).padStart(5)} s  ${round(now)}/s  p99 ${round(p99Ms)} ms  ${failed} failed  ${wrong} wrong`,
      ),
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, load.stop);
  const figures = await load.figures;
  const { failed, refused, wrong, sample } = failuresOf({ load: figures });
  console.log(
    `${figures.latency.count} requests: p50 ${round(figures.latency.p50Ms)} ms, p99 ${round(figures.latency.p99Ms)} ms, ${refused} refused, ${failed} failed, ${wrong} wrong ${sample}`,
  );
  process.exitCode = failed + wrong > 0 ? 1 : 0;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** Those who are given, or some of everybody in the database of this machine's staging: there they have one password. */
async function signInAll(url: string, databaseUrl: string | undefined): Promise<Account[]> {
  const { email, password = SEED_LOGIN.password } = options;
  const emails =
    email === undefined && databaseUrl !== undefined ? await usersIn(databaseUrl) : [email ?? SEED_LOGIN.email];
  const accounts: Account[] = [];
  for (const one of emails) accounts.push(await signIn(url, one, password));
  return accounts;
}

async function usersIn(databaseUrl: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ email: string }>(
      `select email from users where password_hash <> 'none' order by org_id, id limit ${USERS_MAX}`,
    );
    return rows.map(({ email }) => email);
  } finally {
    await client.end();
  }
}
