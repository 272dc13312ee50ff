/** The same statements, filters included, with a scope and without one: the cost of the scope. */
import type { Db } from '../../../src/db/database.ts';
import { openBenchPool } from '../bench-pool.ts';
import type { Figures, Servers } from '../pattern.ts';

type Tables = { documents: { org_id: number; id: number; title: string; body: string } };
type Ask = (n: number) => Promise<unknown>;
type Block = { readonly scopedMs: number; readonly bareMs: number };

const PAGE_ROWS = 50;
/** Statements per block: pages of a list, and single rows by their key, where there is the least work to hide a cost in. */
const [PAGES, POINTS] = [50, 200];
const WARM_UP_STATEMENTS = 50;

/** Scoped against bare, in turn; the median of the rounds counts. */
export async function measureCost(servers: Servers, orgId: number, rounds: number): Promise<Figures> {
  const [pages, points]: [Block[], Block[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    // New connections each time: which core the scheduler gives to one of them would otherwise decide the whole run.
    const { scoped, bare, close } = openSides(servers, orgId);
    const scopedFirst = round % 2 === 0;
    pages.push(await compare(pageOf(scoped, orgId), pageOf(bare, orgId), PAGES, scopedFirst));
    points.push(await compare(pointOf(scoped, orgId), pointOf(bare, orgId), POINTS, scopedFirst));
    await close();
  }
  const medianOf = (blocks: readonly Block[], figure: (block: Block) => number) => median(blocks.map(figure));
  const ratio = ({ scopedMs, bareMs }: Block) => scopedMs / bareMs;
  return {
    pageCostRatio: medianOf(pages, ratio),
    pageScopedMs: medianOf(pages, ({ scopedMs }) => scopedMs),
    pageBareMs: medianOf(pages, ({ bareMs }) => bareMs),
    pointCostRatio: medianOf(points, ratio),
    pointScopedMs: medianOf(points, ({ scopedMs }) => scopedMs),
    pointBareMs: medianOf(points, ({ bareMs }) => bareMs),
  };
}

function openSides({ databaseUrl, workerDatabaseUrl }: Servers, orgId: number) {
  // The scope keeps one plan for all values; the owner is told to do the same, so that plans are not in the figures.
  const url = new URL(databaseUrl);
  url.searchParams.set('options', '-c plan_cache_mode=force_generic_plan');
  const [worker, owner] = [openBenchPool(workerDatabaseUrl, 1), openBenchPool(url.href, 1)];
  return {
    scoped: () => worker.within({ scope: orgId }),
    bare: () => owner.unscoped,
    close: () => Promise.all([worker.close(), owner.close()]),
  };
}

function pageOf(db: () => Db, orgId: number): Ask {
  return (n) =>
    documentsOf(db(), orgId)
      .where('id', '>', n * PAGE_ROWS)
      .orderBy('id')
      .limit(PAGE_ROWS)
      .execute();
}

function pointOf(db: () => Db, orgId: number): Ask {
  return (n) =>
    documentsOf(db(), orgId)
      .where('id', '=', n + 1)
      .executeTakeFirstOrThrow();
}

/** Built by kysely for each call, as the product's statements are. */
function documentsOf(db: Db, orgId: number) {
  return db.withTables<Tables>().selectFrom('documents').where('org_id', '=', orgId).select(['id', 'title', 'body']);
}

async function compare(scoped: Ask, bare: Ask, count: number, scopedFirst: boolean): Promise<Block> {
  for (const ask of [scoped, bare]) await meanMs(ask, WARM_UP_STATEMENTS);
  if (scopedFirst) return { scopedMs: await meanMs(scoped, count), bareMs: await meanMs(bare, count) };
  const bareMs = await meanMs(bare, count);
  return { scopedMs: await meanMs(scoped, count), bareMs };
}

/** Of `count` statements, one after the other. */
async function meanMs(ask: Ask, count: number): Promise<number> {
  const begun = performance.now();
  for (let n = 0; n < count; n++) await ask(n);
  return (performance.now() - begun) / count;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
