/**
 * `npm run bench:list-page [-- --pairs=12]`: one list page of a module (the first that has one) through the whole
 * product (session, tenant, validation, rate limit, replica, serialisation) against bare fastify and pg with the same
 * statement, named. Closed loop, one after the other, in turns (A B B A), so that a slow minute of the machine falls on
 * both. For every pair both are started anew, and take turns in which is the first: of two processes of the same code
 * one can be 1.1 times as fast for as long as it lives. Ends with the ratio of requests per second (1 would be a product
 * that costs nothing) and with that of processor time, and keeps them in bench/results/list-page.json.
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
import { type Both, fill, startBare, startProduct } from './list-page/arrange.ts';
import { costTable } from './list-page/cost-table.ts';
import { flameGraph } from './list-page/flame-graph.ts';
import type { ListPage } from './list-page/list-page.ts';
import { measure, sameRows } from './list-page/measure.ts';
import { type Asked, askInTurns, inTurn, meansOf, processorUs, turns } from './list-page/processes.ts';
import { layersPerRequest, profileOf } from './list-page/profile.ts';
import { loadBenches } from './modules.ts';
import { stopOnSignal } from './stop-on-signal.ts';

/** Each, twice in a pair. */
const SECONDS = 2;
const WARM_UP_SECONDS = 3;
const LAYER_PAIRS = 4;
const PROFILE_SECONDS = 5;
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

/** What `work` says of a process of each, warm; the one that `first` names was started first. */
async function withBoth<T>(
  orgId: number,
  listPage: ListPage,
  first: keyof Both,
  work: (both: Both) => Promise<T>,
): Promise<T> {
  const profileTo = (name: string) => (layers ? path.join(folder, `${name}.cpuprofile`) : undefined);
  const start = {
    product: () =>
      startProduct({ root: ROOT, folder, stack, db, orgId, path: listPage.path, profile: profileTo('product') }),
    bare: () => startBare(stack.databaseReplicaUrl as string, orgId, listPage.bare, profileTo('bare')),
  };
  const started: Partial<Both> = {};
  try {
    for (const name of turns(first)) started[name] = await start[name]();
    const both = started as Both;
    await sameRows(both.product, both.bare);
    for (const contestant of Object.values(both)) await measure(contestant, WARM_UP_SECONDS);
    return await work(both);
  } finally {
    for (const contestant of Object.values(started)) await contestant.stop();
  }
}

function firstOf(pair: number): keyof Both {
  return pair % 2 === 0 ? 'product' : 'bare';
}

interface Pair {
  readonly product: number;
  readonly bare: number;
  readonly productUs: number;
  readonly bareUs: number;
}

async function measurePairs(orgId: number, listPage: ListPage): Promise<void> {
  const pairs: Pair[] = [];
  while (pairs.length < pairsWanted) {
    const first = firstOf(pairs.length);
    const { product, bare } = await withBoth(orgId, listPage, first, (both) =>
      askInTurns(both, first, server, SECONDS),
    );
    console.log(`pair ${pairs.length + 1}: product ${described(product)}, bare ${described(bare)}`);
    pairs.push({
      product: Math.round(product.perSecond),
      bare: Math.round(bare.perSecond),
      productUs: Math.round(processorUs(product)),
      bareUs: Math.round(processorUs(bare)),
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

function described(asked: Asked): string {
  return `${asked.perSecond.toFixed(0)}/s at ${processorUs(asked).toFixed(0)} µs of a processor each`;
}

function range({ median, low, high }: ReturnType<typeof estimate>): string {
  return `${median.toFixed(2)} (99 %: ${low.toFixed(2)} to ${high.toFixed(2)})`;
}

/** Where the time of a request goes, into a page that has a place for the tables; the graphs beside it. */
async function writeLayers(orgId: number, listPage: ListPage, page: string): Promise<void> {
  const graphs = page.replace(/\.md$/, '');
  mkdirSync(graphs, { recursive: true });
  const asked: Both<Asked>[] = [];
  const profiled: Both<ReadonlyMap<string, number>>[] = [];
  while (asked.length < LAYER_PAIRS) {
    const first = firstOf(asked.length);
    await withBoth(orgId, listPage, first, async (both) => {
      asked.push(await askInTurns(both, first, server, PROFILE_SECONDS));
      const { product, bare } = await inTurn(first, (name) => profileOf(both[name], PROFILE_SECONDS));
      profiled.push({ product: layersPerRequest(product), bare: layersPerRequest(bare) });
      writeFileSync(path.join(graphs, 'product.svg'), flameGraph(product.profile, 'A list page through the product'));
      writeFileSync(path.join(graphs, 'bare.svg'), flameGraph(bare.profile, 'The same page of bare fastify and pg'));
    });
  }
  const shares = asked.map(({ product, bare }) => ({ product: product.shares, bare: bare.shares }));
  const tables = [
    costTable('microseconds of a processor per request', meansOf(shares)),
    costTable('microseconds of its main thread per request', meansOf(profiled)),
  ].join('\n\n');
  writeFileSync(page, readFileSync(page, 'utf8').replace(TABLES, `$1\n\n${tables}\n\n$2`));
  console.log(tables);
}
