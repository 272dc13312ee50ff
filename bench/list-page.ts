/**
 * `npm run bench:list-page [-- --pairs=12]`: one list page of a module (the first that has one) through the whole
 * product (session, tenant, validation, rate limit, replica, serialisation) against bare fastify and pg with the same
 * statement, named. Closed loop, one after the other, in pairs whose order alternates, so that a slow minute of the
 * machine falls on both. After every few pairs both are started anew: of two processes of the same code one can be 1.1
 * times as fast for as long as it lives. Ends with the ratio of requests per second (1 would be a product that costs
 * nothing) and with that of processor time, and keeps them in bench/results/list-page.json.
 *
 * `-- --layers`: instead, where the time of both goes, by CPU profile: a table and two flame graphs in the module's
 * documents.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from '../scripts/build.ts';
import { startStack } from '../scripts/embedded/stack.ts';
import { migrate, openMigrationDatabase } from '../src/db/migrate.ts';
import { estimate } from './ab/statistics.ts';
import { argumentsOrExit, countIn } from './arguments.ts';
import { type Contestant, fill, startBare, startProduct } from './list-page/arrange.ts';
import { costTable } from './list-page/cost-table.ts';
import { flameGraph } from './list-page/flame-graph.ts';
import type { ListPage } from './list-page/list-page.ts';
import { measure, sameRows } from './list-page/measure.ts';
import { type Asked, ask, processorUs } from './list-page/processes.ts';
import { layersPerRequest, profileOf } from './list-page/profile.ts';
import { loadBenches } from './modules.ts';
import { stopOnSignal } from './stop-on-signal.ts';

const SECONDS = 3;
const WARM_UP_SECONDS = 3;
const PAIRS_PER_START = 4;
const PROFILE_SECONDS = 10;
const AIM = 0.8;

const ROOT = path.resolve(import.meta.dirname, '..');
const PAIRS_MAX = 500;
const TABLES = /(<!-- made by npm run bench:list-page -- --layers -->)[\s\S]*?(<!-- end -->)/;
const { pairs: pairsWanted, layers } = argumentsOrExit('npm run bench:list-page -- [--pairs=12 | --layers]', (args) => {
  const options = { pairs: { type: 'string', default: '12' }, layers: { type: 'boolean', default: false } } as const;
  const { values } = parseArgs({ args, options });
  return { pairs: countIn('pairs', values.pairs, PAIRS_MAX), layers: values.layers };
});
const bench = (await loadBenches()).find(({ listPage }) => listPage !== undefined);
const listPage = (await bench?.listPage?.())?.listPage;
if (bench === undefined || listPage === undefined) throw new Error('No module has a list page (ModuleBench.listPage).');
const folder = path.join(ROOT, '.tardigrade', 'list-page');

stopOnSignal();
await build();
const stack = await startStack({ folder, ports: 'any', withMail: false });
const db = openMigrationDatabase(stack.databaseUrl);
const server = stack.pids['replica'] as number;
try {
  await migrate(db);
  const orgId = await fill(db, listPage);
  if (layers) await writeLayers(orgId, listPage, path.join(ROOT, 'docs', 'modules', bench.name, 'list-page.md'));
  else await measurePairs(orgId, listPage);
} finally {
  await db.destroy();
  await stack.stop();
}

/** Calls `work` with a process of each, warm, and ends them. */
async function withBoth(
  orgId: number,
  listPage: ListPage,
  work: (product: Contestant, bare: Contestant) => Promise<void>,
): Promise<void> {
  const profileTo = (name: string) => (layers ? path.join(folder, `${name}.cpuprofile`) : undefined);
  const contestants: Contestant[] = [];
  try {
    const settings = { root: ROOT, folder, stack, db, orgId, path: listPage.path };
    const product = await startProduct({ ...settings, profile: profileTo('product') });
    contestants.push(product);
    const bare = await startBare(stack.databaseReplicaUrl as string, orgId, listPage.bare, profileTo('bare'));
    contestants.push(bare);
    await sameRows(product, bare);
    for (const contestant of contestants) await measure(contestant, WARM_UP_SECONDS);
    await work(product, bare);
  } finally {
    for (const contestant of contestants) await contestant.stop();
  }
}

interface Pair {
  readonly product: number;
  readonly bare: number;
  readonly productUs: number;
  readonly bareUs: number;
}

/** In turns, and kept. */
async function measurePairs(orgId: number, listPage: ListPage): Promise<void> {
  const pairs: Pair[] = [];
  while (pairs.length < pairsWanted) {
    const until = Math.min(pairs.length + PAIRS_PER_START, pairsWanted);
    await withBoth(orgId, listPage, async (product, bare) => {
      while (pairs.length < until) pairs.push(await measurePair(product, bare, pairs.length));
    });
  }
  const ratio = estimate(pairs.map(({ product, bare }) => product / bare));
  const processorRatio = estimate(pairs.map(({ productUs, bareUs }) => bareUs / productUs));
  console.log(`requests a second: ratio ${range(ratio)}, at least ${AIM} wanted`);
  console.log(
    `requests per second of a processor, which other work on the machine changes less: ratio ${range(processorRatio)}`,
  );
  const { path: page, rows } = listPage;
  writeFileSync(
    path.join(ROOT, 'bench', 'results', 'list-page.json'),
    `${JSON.stringify({ node: process.version, page, rows, seconds: SECONDS, ratio, processorRatio, pairs }, null, 2)}\n`,
  );
  process.exitCode = ratio.median >= AIM ? 0 : 1;
}

async function measurePair(product: Contestant, bare: Contestant, nth: number): Promise<Pair> {
  const asked = new Map<Contestant, Asked>();
  for (const contestant of nth % 2 === 0 ? [product, bare] : [bare, product])
    asked.set(contestant, await ask(contestant, server, SECONDS));
  const [ours, theirs] = [asked.get(product) as Asked, asked.get(bare) as Asked];
  console.log(`pair ${nth + 1}: product ${described(ours)}, bare ${described(theirs)}`);
  return {
    product: Math.round(ours.perSecond),
    bare: Math.round(theirs.perSecond),
    productUs: Math.round(processorUs(ours)),
    bareUs: Math.round(processorUs(theirs)),
  };
}

function described(asked: Asked): string {
  return `${asked.perSecond.toFixed(0)}/s at ${processorUs(asked).toFixed(0)} µs of a processor each`;
}

function range({ median, low, high }: ReturnType<typeof estimate>): string {
  return `${median.toFixed(2)} (99 %: ${low.toFixed(2)} to ${high.toFixed(2)})`;
}

/** Where the time of a request goes, into a page that has a place for the tables; the graphs beside it. */
async function writeLayers(orgId: number, listPage: ListPage, page: string): Promise<void> {
  await withBoth(orgId, listPage, async (product, bare) => {
    const shares = [
      (await ask(product, server, PROFILE_SECONDS)).shares,
      (await ask(bare, server, PROFILE_SECONDS)).shares,
    ] as const;
    const [ours, theirs] = [await profileOf(product, PROFILE_SECONDS), await profileOf(bare, PROFILE_SECONDS)];
    const graphs = page.replace(/\.md$/, '');
    mkdirSync(graphs, { recursive: true });
    writeFileSync(path.join(graphs, 'product.svg'), flameGraph(ours.profile, 'A list page through the product'));
    writeFileSync(path.join(graphs, 'bare.svg'), flameGraph(theirs.profile, 'The same page of bare fastify and pg'));
    const tables = [
      costTable('microseconds of a processor per request', ...shares),
      costTable('microseconds of its main thread per request', layersPerRequest(ours), layersPerRequest(theirs)),
    ].join('\n\n');
    writeFileSync(page, readFileSync(page, 'utf8').replace(TABLES, `$1\n\n${tables}\n\n$2`));
    console.log(tables);
  });
}
