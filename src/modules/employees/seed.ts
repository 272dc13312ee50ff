import { sql } from 'kysely';
import type { Db } from '../../db/database.ts';
import type { SeedContext, SeedOrganisation } from '../faces.ts';
import { FIRST_NAMES, LAST_NAMES } from './seed-names.ts';

/** How many teams the organisations have, in their order; any others have as many as the last. */
const TEAMS = [14, 20, 18, 16, 14, 12, 11, 10, 8, 8];

const TEAM_NAMES = [
  ...['Engineering', 'Customer Support', 'Sales', 'Finance', 'Marketing', 'People', 'Operations', 'Legal', 'Design'],
  ...['Research', 'Procurement', 'Warehouse', 'Field Service', 'Quality', 'Data', 'Security', 'Product', 'Facilities'],
  ...['Training', 'Planning', 'Night Shift', 'Fleet', 'Communications', 'Partnerships'],
];

/** Writes the teams of each organisation and as many employees as its size says. */
export async function seed(context: SeedContext): Promise<Record<string, number>> {
  const { db, organisations, now, onProgress, waitForReplicas } = context;
  onProgress('employees');
  const teams = await writeTeams(db, organisations);
  for (const organisation of organisations) {
    await writeEmployees(db, organisation, now);
    await waitForReplicas();
  }
  await countTeams(db);
  // The statements that follow would be planned for empty tables.
  await sql`analyze teams, employees`.execute(db);
  return { teams, employees: organisations.reduce((sum, { size }) => sum + size, 0) };
}

async function writeTeams(db: Db, organisations: readonly SeedOrganisation[]): Promise<number> {
  const { numAffectedRows } = await sql`
    insert into teams (org_id, id, name) overriding system value
    select o.id, row_number() over (order by o.id, place), team.name
    from unnest(${organisations.map(({ id }) => id)}::bigint[], ${organisations.map(teamsOf)}::int[]) as o (id, teams)
    cross join lateral (
      select name, row_number() over (order by pg_temp.chance(o.id * 100 + nth, 'team')) as place
      from unnest(${TEAM_NAMES}::text[]) with ordinality as given (name, nth)
    ) as team
    where place <= o.teams`.execute(db);
  return Number(numAffectedRows);
}

function teamsOf({ id }: SeedOrganisation): number {
  return (TEAMS[id - 1] ?? TEAMS.at(-1)) as number;
}

/**
 * Writes the employees of one organisation. Teams differ in size. Most people were there when the organisation came,
 * the others joined since; a few have unsubscribed.
 *
 * Names: STEP is coprime to the number of names, so that the first `NAMES` people of an organisation all have different
 * ones; after that an address has a number in it, as in life.
 */
async function writeEmployees(db: Db, organisation: SeedOrganisation, now: Date): Promise<void> {
  const { id: orgId, domain, size, firstId } = organisation;
  await sql`
    insert into employees (org_id, id, team_id, email, name, created_at, unsubscribed_at) overriding system value
    select o.id, e.id,
      (select min(id) from teams where org_id = o.id) + floor(${teamsOf(organisation)}::int * power(pg_temp.chance(e.id, 'team'), 1.4)),
      first.handle || '.' || last.handle || coalesce(nullif(nth / ${NAMES}::int + 1, 1)::text, '') || '@' || ${domain}::text,
      first.name || ' ' || last.name,
      case when pg_temp.chance(e.id, 'joined') < 0.8 then o.created_at + interval '20 minutes'
        else o.created_at + (${now}::timestamptz - o.created_at) * pg_temp.chance(e.id, 'joined when') end,
      case when pg_temp.chance(e.id, 'unsubscribed') < 0.015
        then ${now}::timestamptz - interval '90 days' * pg_temp.chance(e.id, 'unsubscribed when') end
    from (
      select nth, ${firstId}::bigint + nth as id, (nth * ${STEP}::bigint + ${orgId * 131}::int) % ${NAMES}::int as pick
      from generate_series(0, ${size}::int - 1) as nth
    ) as e
    join organisations o on o.id = ${orgId}
    join unnest(${FIRST_NAMES}::text[], ${FIRST_NAMES.map(handle)}::text[]) with ordinality as first (name, handle, place)
      on first.place = pick % ${FIRST_NAMES.length}::int + 1
    join unnest(${LAST_NAMES}::text[], ${LAST_NAMES.map(handle)}::text[]) with ordinality as last (name, handle, place)
      on last.place = pick / ${FIRST_NAMES.length}::int + 1
    order by e.id`.execute(db);
}

/** A name as mail addresses write it: `Zoë` is `zoe`, `O'Neill` is `oneill`. */
function handle(name: string): string {
  return name
    .normalize('NFD')
    .toLowerCase()
    .replace(/[^a-z]/g, '');
}

/** The triggers that keep these counts may have slept: see settle() in scripts/seed.ts. */
async function countTeams(db: Db): Promise<void> {
  await sql`
    update teams set employees = counted.employees, reachable = counted.reachable
    from (
      select org_id, team_id, count(*) as employees, count(*) filter (where unsubscribed_at is null) as reachable
      from employees group by org_id, team_id
    ) as counted
    where teams.org_id = counted.org_id and teams.id = counted.team_id`.execute(db);
}

const NAMES = FIRST_NAMES.length * LAST_NAMES.length;
const STEP = 4_567;
