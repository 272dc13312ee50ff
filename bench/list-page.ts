/**
 * `npm run bench:list-page [-- --pairs=12]`: one list page of a module (the first that has one) through the whole
 * product (session, tenant, validation, rate limit, replica, serialisation) against bare fastify and pg with the same
 * statement, named. Closed loop, one after the other (A B B A), so that a slow minute of the machine falls on both.
 * Every pair starts two fresh processes, in alternating order: of two processes of the same code one can be 1.1 times as
 * fast for as long as it lives. Ends with the ratio of requests per second (1 would be a product that costs nothing) and
 * with that of processor time, and keeps them in bench/results/list-page.json.
 *
 * `-- --layers`: instead, where the time of both goes, by the kernel's counts and by CPU profile: two tables and two
 * flame graphs in the module's documents.
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
import { forEachContestant, measurePair, type Name, type PerContestant } from './list-page/pair.ts';
import { addUp, type Load, perAnswer } from './list-page/processes.ts';
import { layersPerRequest, type Profiled, profileOf } from './list-page/profile.ts';
import { loadBenches } from './modules.ts';
import { sum } from './numbers.ts';
import { stopOnSignal } from './stop-on-signal.ts';

/** Of one window of load; each contestant has two in a pair. */
const SECONDS = 2;
const WARM_UP_SECONDS = 3;
const PROFILED_PAIRS = 4;
const PROFILE_SECONDS = 5;
const AIM = 0.8;

const ROOT = path.resolve(import.meta.dirname, '..');
const PAIRS_MAX = 500;
const TABLES = /(<!-- made by npm run bench:list-page -- --layers -->)[\s\S]*?(<!-- end -->)/;
const { pairs: pairsWanted, layers } = argumentsOrExit('npm run bench:list-page -- [--pairs=12 | --layers]', (args) => {
  const options = { pairs: { type: 'string', default: '12' }, layers: { type: 'boolean', default: false } } as const;
  const { values } = parseArgs({ args, options });
  const pairs = countIn('pairs', values.pairs, PAIRS_MAX);
  if (pairs % 2 !== 0) throw new Error('--pairs is an even number: each contestant is started first in half of them.');
  return { pairs, layers: values.layers };
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

/** The result of `work` with a warm process of each; `first` is started first. */
async function withContestants<T>(
  orgId: number,
  listPage: ListPage,
  first: Name,
  work: (contestants: PerContestant<Contestant>) => Promise<T>,
): Promise<T> {
  const profileTo = (name: Name) => (layers ? path.join(folder, `${name}.cpuprofile`) : undefined);
  const start = {
    product: () =>
      startProduct({ root: ROOT, folder, stack, db, orgId, path: listPage.path, profile: profileTo('product') }),
    bare: () => startBare(stack.databaseReplicaUrl as string, orgId, listPage.bare, profileTo('bare')),
  };
  const started: Contestant[] = [];
  try {
    const contestants = await forEachContestant(first, async (name) => {
      const contestant = await start[name]();
      started.push(contestant);
      return contestant;
    });
    await sameRows(contestants.product, contestants.bare);
    for (const contestant of started) await measure(contestant, WARM_UP_SECONDS);
    return await work(contestants);
  } finally {
    for (const contestant of started) await contestant.stop();
  }
}

function firstOfPair(nth: number): Name {
  return nth % 2 === 0 ? 'product' : 'bare';
}

interface Pair {
  readonly product: number;
  readonly bare: number;
  readonly productUs: number;
  readonly bareUs: number;
}

async function measurePairs(orgId: number, listPage: ListPage): Promise<void> {
  const measureNth = (nth: number) => {
    const first = firstOfPair(nth);
    return withContestants(orgId, listPage, first, (both) => measurePair(both, first, server, SECONDS));
  };
  await measureNth(0); // not counted: it warms PostgreSQL, for both
  const pairs: Pair[] = [];
  while (pairs.length < pairsWanted) {
    const { product, bare } = await measureNth(pairs.length);
    console.log(`pair ${pairs.length + 1}: product ${described(product)}, bare ${described(bare)}`);
    pairs.push({
      product: Math.round(perSecond(product)),
      bare: Math.round(perSecond(bare)),
      productUs: Math.round(processorUsOf(product)),
      bareUs: Math.round(processorUsOf(bare)),
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

function described(load: Load): string {
  return `${perSecond(load).toFixed(0)}/s at ${processorUsOf(load).toFixed(0)} µs of a processor each`;
}

function perSecond({ answers, seconds }: Load): number {
  return answers / seconds;
}

/** Per request. */
function processorUsOf({ processorUs, answers }: Load): number {
  return sum(processorUs.values()) / answers;
}

function range({ median, low, high }: ReturnType<typeof estimate>): string {
  return `${median.toFixed(2)} (99 %: ${low.toFixed(2)} to ${high.toFixed(2)})`;
}

/** Where the time of a request goes, into a page with a place for the tables; beside it the graphs, of the last pair. */
async function writeLayers(orgId: number, listPage: ListPage, page: string): Promise<void> {
  const loads: PerContestant<Load>[] = [];
  const profiles: PerContestant<Profiled>[] = [];
  while (profiles.length < PROFILED_PAIRS) {
    const first = firstOfPair(profiles.length);
    await withContestants(orgId, listPage, first, async (contestants) => {
      loads.push(await measurePair(contestants, first, server, PROFILE_SECONDS));
      profiles.push(await forEachContestant(first, (name) => profileOf(contestants[name], PROFILE_SECONDS)));
    });
  }
  const processors = (name: Name) => {
    const { processorUs, answers } = addUp(loads.map((pair) => pair[name]));
    return perAnswer(processorUs, answers);
  };
  const mainThread = (name: Name) => layersPerRequest(profiles.map((pair) => pair[name]));
  const tables = [
    costTable('microseconds of a processor per request', ofEach(processors)),
    costTable('microseconds of its main thread per request', ofEach(mainThread)),
  ].join('\n\n');
  const graphs = page.replace(/\.md$/, '');
  mkdirSync(graphs, { recursive: true });
  const { product, bare } = profiles.at(-1) as PerContestant<Profiled>;
  writeFileSync(path.join(graphs, 'product.svg'), flameGraph(product.profile, 'A list page through the product'));
  writeFileSync(path.join(graphs, 'bare.svg'), flameGraph(bare.profile, 'The same page of bare fastify and pg'));
  writeFileSync(page, readFileSync(page, 'utf8').replace(TABLES, `$1\n\n${tables}\n\n$2`));
  console.log(tables);
}

function ofEach<T>(value: (name: Name) => T): PerContestant<T> {
  return { product: value('product'), bare: value('bare') };
}
