import { sql } from 'kysely';
import type { Db } from '../../src/db/database.ts';
import { createPasswordHasher } from '../../src/http/password-hashing.ts';

export const OWNER_EMAIL = 'owner@tardigrade.test';

/** An organisation with its place in the tables: ids are row numbers, so that hashes of them are the same every time. */
export interface SeedOrganisation {
  readonly id: number;
  readonly name: string;
  readonly domain: string;
  readonly teams: number;
  readonly employees: number;
  /** The id of its first employee; the others follow without a gap. */
  readonly firstEmployee: number;
}

/** At scale 1: 30,000 employees, from a corporation to a family business. `.test` is nobody's domain (RFC 2606). */
const ORGANISATIONS = [
  { name: 'Water Bear Works', domain: 'tardigrade.test', teams: 14, employees: 4_200 },
  { name: 'Tun State Logistics', domain: 'tunstate.test', teams: 20, employees: 7_600 },
  { name: 'Moss & Lichen', domain: 'mosslichen.test', teams: 18, employees: 5_900 },
  { name: 'Eight Legs Transport', domain: 'eightlegs.test', teams: 16, employees: 4_300 },
  { name: 'Dewdrop Foods', domain: 'dewdrop.test', teams: 14, employees: 3_100 },
  { name: 'Rotifer Robotics', domain: 'rotifer.test', teams: 12, employees: 2_100 },
  { name: 'Slow Stepper Shoes', domain: 'slowstepper.test', teams: 11, employees: 1_400 },
  { name: 'Cryptobiosis Labs', domain: 'cryptobiosis.test', teams: 10, employees: 800 },
  { name: 'Goeze Optics', domain: 'goeze.test', teams: 8, employees: 420 },
  { name: 'Puddle & Daughters', domain: 'puddle.test', teams: 8, employees: 180 },
];

const USERS = [
  { local: 'owner', role: 'owner', names: ['Robin Vale', 'Noor Haddad', 'Ines Carvalho', 'Tomas Berg', 'Mei Tanaka'] },
  { local: 'admin', role: 'admin', names: ['Sasha Lindqvist', 'Amara Okoye', 'Jonas Keller', 'Priya Raman'] },
  { local: 'viewer', role: 'viewer', names: ['Alex Moreau', 'Dana Novak', 'Kofi Mensah'] },
] as const;

const TEAM_NAMES = [
  ...['Engineering', 'Customer Support', 'Sales', 'Finance', 'Marketing', 'People', 'Operations', 'Legal', 'Design'],
  ...['Research', 'Procurement', 'Warehouse', 'Field Service', 'Quality', 'Data', 'Security', 'Product', 'Facilities'],
  ...['Training', 'Planning', 'Night Shift', 'Fleet', 'Communications', 'Partnerships'],
];

/** Writes the organisations with their users and teams; employees come after (writeEmployees). */
export async function writeOrganisations(
  db: Db,
  { scale, now, password }: { scale: number; now: Date; password: string },
): Promise<SeedOrganisation[]> {
  const organisations = scaled(scale);
  const names = organisations.map(({ name }) => name);
  await sql`
    insert into organisations (id, name, created_at) overriding system value
    select id, name, ${now}::timestamptz - make_interval(days => 200 + floor(150 * pg_temp.chance(id, 'customer since'))::int)
    from unnest(${names}::text[]) with ordinality as given (name, id)`.execute(db);
  await writeUsers(db, organisations, password);
  await sql`
    insert into teams (org_id, id, name) overriding system value
    select o.id, row_number() over (order by o.id, place), team.name
    from unnest(${organisations.map(({ teams }) => teams)}::int[]) with ordinality as o (teams, id)
    cross join lateral (
      select name, row_number() over (order by pg_temp.chance(o.id * 100 + nth, 'team')) as place
      from unnest(${TEAM_NAMES}::text[]) with ordinality as given (name, nth)
    ) as team
    where place <= o.teams`.execute(db);
  return organisations;
}

function scaled(scale: number): SeedOrganisation[] {
  let firstEmployee = 1;
  return ORGANISATIONS.map((organisation, index) => {
    const employees = Math.max(1, Math.round(organisation.employees * scale));
    const placed = { ...organisation, id: index + 1, employees, firstEmployee };
    firstEmployee += employees;
    return placed;
  });
}

/** One hash for all: each costs memory and time by design. */
async function writeUsers(db: Db, organisations: SeedOrganisation[], password: string): Promise<void> {
  const password_hash = await createPasswordHasher().hash(password);
  const users = organisations.flatMap(({ id: org_id, domain }) =>
    USERS.map(({ local, role, names }) => {
      const name = names[org_id % names.length] as string;
      return { org_id, email: `${local}@${domain}`, name, role, password_hash };
    }),
  );
  await sql`
    insert into users (org_id, id, email, name, role, password_hash, created_at) overriding system value
    select given.org_id, nth, given.email, given.name, given.role, given.password_hash, organisations.created_at
    from rows from (jsonb_to_recordset(${JSON.stringify(users)}::jsonb)
      as (org_id bigint, email text, name text, role text, password_hash text)) with ordinality
      as given (org_id, email, name, role, password_hash, nth)
    join organisations on organisations.id = given.org_id`.execute(db);
}
