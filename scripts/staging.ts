/**
 * `npm run staging`: a second product beside the first, as large and as limited as in production, to put under load. It
 * has ports, data, servers and a mail catcher of its own; no variable of the environment can lead it to other ones.
 *
 *   --from=seed        sample data (default)
 *   --from=copy        the rows of the product that runs in .tardigrade, anonymised (docs/staging.md says how)
 *   --from=postgres:…  the same of another database, a replica's for example; its role must see all rows
 *   --fresh            discard what staging had before
 *   --folder=path      keep data and logs there instead of in .tardigrade-staging
 *   --ports=any        use any free ports instead of 13000 and the like
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import type { Box } from '../bench/box/box.ts';
import { createBoxes } from '../bench/layout/boxes.ts';
import type { PartName } from '../bench/layout/parts.ts';
import type { WrapCommand } from './embedded/child.ts';
import { startProduct } from './embedded/product.ts';
import type { Stack } from './embedded/stack.ts';
import { readStackFile } from './embedded/stack-file.ts';
import { reset } from './reset.ts';
import { SEED_LOGIN } from './seed.ts';
import { copyDatabase } from './staging/copy-database.ts';
import { markDatabase } from './staging/mark.ts';
import { stagingEnvironment } from './staging/staging-environment.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const FIRST = path.join(ROOT, '.tardigrade');
const PARTS: readonly PartName[] = ['mail', 'redis', 'primary', 'replica', 'mailer', 'chat', 'api'];
const USAGE = 'npm run staging -- [--from=seed|copy|postgres://…] [--fresh] [--folder=path] [--ports=any]';

const unwanted = new AbortController();
const boxes = new Map<string, Box>();
let stop: (() => Promise<void>) | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    if (unwanted.signal.aborted) return;
    // A start in progress notices it, stops what it has started and exits below.
    unwanted.abort();
    void stop?.().then(() => process.exit(0));
  });

const { from, fresh, folder, ports } = readFlags();
try {
  const original = from === 'copy' ? readStackFile(FIRST)?.databaseUrl : from;
  if (original === undefined)
    throw new Error(
      'No product runs in .tardigrade: start it with npm start, or name a database with --from=postgres://…',
    );
  if (fresh) await reset(folder);
  await createBoxes('nano-each', PARTS, boxes);
  const product = await startProduct({
    ...{ root: ROOT, folder, ports, given: {}, native: false, workers: true, restart: true },
    environment: stagingEnvironment(process.env),
    signal: unwanted.signal,
    seed: from === 'seed',
    wrap: intoBox,
    prepare: (stack) => prepare(stack, from === 'seed' ? undefined : original),
    onProgress: (step, ms) => console.log(`  ${step.padEnd(28)} ${(ms / 1000).toFixed(2)} s`),
    onNews: (message) => console.error(message),
  });
  stop = async () => {
    await product.stop();
    await closeBoxes();
  };
  const { urls, login } = product.file;
  const limits = [...boxes.values()].some(({ enforcedBy }) => enforcedBy === 'none')
    ? 'none: this machine cannot enforce any'
    : 'those of docker-compose.yml, for each part';
  console.log(`
Staging is up

  Dashboard      ${urls.dashboard}
    sign in      ${login.email} / ${login.password}
  Caught mail    ${urls.mail}
  Limits         ${limits}
  Load           npm run staging:load -- --seconds=60
  Stop           Ctrl-C
`);
} catch (error) {
  await closeBoxes();
  if (unwanted.signal.aborted) process.exit(0);
  console.error(`\nnpm run staging failed: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}

function readFlags() {
  try {
    const { values } = parseArgs({
      options: {
        from: { type: 'string', default: 'seed' },
        fresh: { type: 'boolean', default: false },
        folder: { type: 'string', default: path.join(ROOT, '.tardigrade-staging') },
        ports: { type: 'string', default: 'staging' },
      },
    });
    const { from, fresh, ports } = values;
    if (!/^(?:seed|copy|postgres(?:ql)?:.+)$/.test(from))
      throw new Error(`--from is seed, copy or the address of a database, not ${from}`);
    if (ports !== 'staging' && ports !== 'any') throw new Error(`--ports is staging or any, not ${ports}`);
    const folder = path.resolve(values.folder);
    if (folder === FIRST) throw new Error(`--folder is that of the first product: staging has its own`);
    return { from, fresh, folder, ports } as const;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    return process.exit(64);
  }
}

/** The mark first: without it nothing is written. Returns a login; undefined while there is nobody, so that the seed comes. */
async function prepare(stack: Stack, original: string | undefined) {
  const adminUrl = stack.databaseAdminUrl as string;
  await markDatabase(adminUrl);
  const known = await loginOf(adminUrl);
  if (known !== undefined) {
    console.log('  It has data already, which stays: --fresh discards it.');
    return known;
  }
  if (original === undefined) return undefined;
  const { password } = SEED_LOGIN;
  await copyDatabase({ from: original, to: adminUrl, password, onProgress: (text) => console.log(`    ${text}`) });
  return loginOf(adminUrl);
}

/** Of the seed's owner, or of the first one in a copy. */
async function loginOf(adminUrl: string) {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ email: string }>(
      `select email from users where role = 'owner' order by email = $1 desc, org_id, id limit 1`,
      [SEED_LOGIN.email],
    );
    return rows[0] && { email: rows[0].email, password: SEED_LOGIN.password };
  } finally {
    await client.end();
  }
}

function intoBox(...[part, command, args]: Parameters<WrapCommand>): ReturnType<WrapCommand> {
  return boxes.get(part)?.wrap(command, args) ?? { command, args };
}

async function closeBoxes(): Promise<void> {
  for (const box of boxes.values()) await box.close();
}
