/**
 * What it is: every write that was acknowledged is looked for in the database, after whatever happened meanwhile.
 * What fails without it: a test that kills processes and then asks whether the product still answers. It always does;
 *   the question is whether it forgot something.
 * How it works: the generators write a line for each acknowledgement, nothing for a request without an answer (which
 *   may or may not have happened). Each module says how its writes are found again (ModuleBench.history).
 * What it costs: one pass over the file, HISTORY_BATCH_ROWS at a time. Its proof: test/bench/platform.test.ts.
 */
import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { batches } from '../../src/flow/batch.ts';
import { sum } from '../numbers.ts';

/** By kind of write: each query is given the writes of that kind as $1 (jsonb) and returns what is wrong with them. */
export type HistoryQueries = Readonly<Record<string, readonly string[]>>;

/** Whatever else the write's kind needs to be found again is beside it. */
export interface HistoryEntry {
  readonly kind: string;
  readonly [field: string]: unknown;
}

export interface HistoryFigures {
  /** Acknowledged writes by kind. */
  readonly acknowledged: Readonly<Record<string, number>>;
  /** How many are wrong, in the words of the queries: `lost`, `duplicated`, … */
  readonly faults: Readonly<Record<string, number>>;
  /** All faults together: 0 when everything is as it was acknowledged. */
  readonly lost: number;
  readonly samples: readonly string[];
}

interface Fault {
  readonly what: string;
  readonly sample: string;
}

const HISTORY_BATCH_ROWS = 5_000;
const SAMPLES_MAX = 10;

/** `databaseUrl` is the primary's, for reading only. @throws when nobody knows how to look for a kind of write */
export async function checkHistory(
  databaseUrl: string,
  queries: HistoryQueries,
  entries: Iterable<HistoryEntry> | AsyncIterable<HistoryEntry>,
): Promise<HistoryFigures> {
  const client = new Client({ connectionString: databaseUrl, application_name: 'bench-history' });
  await client.connect();
  const acknowledged: Record<string, number> = {};
  const faults: Record<string, number> = {};
  const samples: string[] = [];
  try {
    await client.query(`begin transaction isolation level repeatable read read only`);
    for await (const batch of batches(entries, HISTORY_BATCH_ROWS)) {
      for (const [kind, writes = []] of Object.entries(Object.groupBy(batch, (entry) => entry.kind))) {
        acknowledged[kind] = (acknowledged[kind] ?? 0) + writes.length;
        for (const { what, sample } of await faultsOf(client, queries[kind], kind, writes)) {
          faults[what] = (faults[what] ?? 0) + 1;
          if (samples.length < SAMPLES_MAX) samples.push(`${what}: ${sample}`);
        }
      }
    }
    return { acknowledged, faults, lost: sum(Object.values(faults)), samples };
  } finally {
    await client.end();
  }
}

/** Acknowledged writes that the database does not hold, or not as acknowledged. */
export async function lostOf(
  databaseUrl: string,
  queries: HistoryQueries,
  files: readonly string[],
): Promise<{ readonly lost: number; readonly acknowledged: number; readonly sample: string }> {
  const found: HistoryFigures[] = [];
  for (const file of files) found.push(await checkHistory(databaseUrl, queries, readHistory(file)));
  return {
    lost: sum(found.map(({ lost }) => lost)),
    acknowledged: sum(found.flatMap(({ acknowledged }) => Object.values(acknowledged))),
    sample: found.flatMap(({ samples }) => samples)[0] ?? '',
  };
}

/** The file that the generators wrote; a last line that broke off with its process is left out. */
export async function* readHistory(file: string): AsyncGenerator<HistoryEntry> {
  if (!existsSync(file)) return;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    const entry = parse(line);
    if (entry !== undefined) yield entry;
  }
}

function parse(line: string): HistoryEntry | undefined {
  try {
    return JSON.parse(line) as HistoryEntry;
  } catch {
    return undefined;
  }
}

async function faultsOf(
  client: Client,
  queries: readonly string[] | undefined,
  kind: string,
  writes: readonly HistoryEntry[],
): Promise<Fault[]> {
  if (queries === undefined) throw new Error(`No module says how to look for a write of the kind ${kind}.`);
  const faults: Fault[] = [];
  for (const query of queries) faults.push(...(await client.query<Fault>(query, [JSON.stringify(writes)])).rows);
  return faults;
}
