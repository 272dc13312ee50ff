/**
 * Asks every rule of every module (its face `consistency`) and those of the platform, in one snapshot: rows that change
 * meanwhile cannot disagree only because they were read at two moments.
 */
import { Client } from 'pg';
import type { Rule } from '../../src/modules/faces.ts';
import { MODULES } from '../../src/modules.ts';
import type { Verdict } from './verdict.ts';

/** A whole database without an index for the question: a scan of the largest table on a slow disk. */
const STATEMENT_MS = 600_000;
const FAULTS_SHOWN_MAX = 5;

/** `databaseUrl`: of a role that Row-Level Security does not bind. @throws when it does, or nobody answers */
export async function verifyDatabase(databaseUrl: string): Promise<Verdict[]> {
  const client = new Client({
    connectionString: databaseUrl,
    application_name: 'tardigrade-verify',
    statement_timeout: STATEMENT_MS,
  });
  client.on('error', () => undefined); // the query in flight fails
  await client.connect();
  try {
    await client.query('begin transaction isolation level repeatable read read only');
    // An error instead of rows that are left out without a word.
    await client.query('set local row_security = off');
    const verdicts: Verdict[] = [];
    for (const { module, rule } of [...(await rulesOfModules()), ...(await rulesOfSequences(client))])
      verdicts.push(await verdictOn(client, module, rule));
    return verdicts;
  } finally {
    await client.end();
  }
}

interface NamedRule {
  readonly module: string;
  readonly rule: Rule;
}

async function rulesOfModules(): Promise<NamedRule[]> {
  const faces = await Promise.all(
    MODULES.map(async ({ name, consistency }) => ({ name, face: await consistency?.() })),
  );
  return faces.flatMap(({ name, face }) =>
    Object.values(face?.consistency ?? {}).map((rule) => ({ module: name, rule })),
  );
}

/** A dump that was restored without its sequences gives out ids that are taken. */
async function rulesOfSequences(client: Client): Promise<NamedRule[]> {
  const { rows } = await client.query<{ table: string; column: string; sequence: string }>(`
    select format('%I.%I', nspname, relname) as table, format('%I', attname) as column,
      pg_get_serial_sequence(format('%I.%I', nspname, relname), attname) as sequence
    from pg_attribute join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace
    where attidentity <> '' and relkind = 'r' and nspname = 'public' order by relname`);
  const queries = rows.map(
    ({ table, column, sequence }) => `
    select format('${table} has the id %s, and the next one given out is %s', highest, next) as fault
    from (select max(${column}) as highest from ${table}) as rows,
      (select last_value + case when is_called then 1 else 0 end as next from ${sequence}) as ids
    where highest >= next`,
  );
  return [{ module: 'ids', rule: { holds: 'no id will be given out twice', faults: queries.join(' union all ') } }];
}

async function verdictOn(client: Client, module: string, { holds, faults }: Rule): Promise<Verdict> {
  const begun = performance.now();
  const { rows } = await client.query<{ fault: string }>(
    `select fault from (${faults}) as found limit ${FAULTS_SHOWN_MAX}`,
  );
  return { module, rule: holds, faults: rows.map(({ fault }) => fault), ms: performance.now() - begun };
}
