import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import { createPasswordHasher } from '../../http/password-hashing.ts';
import type { SeedContext, SeedOrganisation } from '../faces.ts';

/** Everybody can read this password here; the other users of the seed (admin@…, viewer@…) have the same. */
export const SEED_LOGIN = { email: 'owner@tardigrade.test', password: 'tardigrade-owner' };

/** At scale 1 the sizes add up to 30,000, from a corporation to a family business. `.test` is nobody's domain (RFC 2606). */
const ORGANISATIONS = [
  { name: 'Water Bear Works', domain: 'tardigrade.test', size: 4_200 },
  { name: 'Tun State Logistics', domain: 'tunstate.test', size: 7_600 },
  { name: 'Moss & Lichen', domain: 'mosslichen.test', size: 5_900 },
  { name: 'Eight Legs Transport', domain: 'eightlegs.test', size: 4_300 },
  { name: 'Dewdrop Foods', domain: 'dewdrop.test', size: 3_100 },
  { name: 'Rotifer Robotics', domain: 'rotifer.test', size: 2_100 },
  { name: 'Slow Stepper Shoes', domain: 'slowstepper.test', size: 1_400 },
  { name: 'Cryptobiosis Labs', domain: 'cryptobiosis.test', size: 800 },
  { name: 'Goeze Optics', domain: 'goeze.test', size: 420 },
  { name: 'Puddle & Daughters', domain: 'puddle.test', size: 180 },
];

const USERS = [
  { local: 'owner', role: 'owner', names: ['Robin Vale', 'Noor Haddad', 'Ines Carvalho', 'Tomas Berg', 'Mei Tanaka'] },
  { local: 'admin', role: 'admin', names: ['Sasha Lindqvist', 'Amara Okoye', 'Jonas Keller', 'Priya Raman'] },
  { local: 'viewer', role: 'viewer', names: ['Alex Moreau', 'Dana Novak', 'Kofi Mensah'] },
] as const;

/** The organisations of a scale, with their places in the tables. */
export function seedOrganisations(scale: number): SeedOrganisation[] {
  let firstId = 1;
  return ORGANISATIONS.map((organisation, index) => {
    const size = Math.max(1, Math.round(organisation.size * scale));
    const placed = { ...organisation, id: index + 1, size, firstId };
    firstId += size;
    return placed;
  });
}

/** Writes the organisations and their users. */
export async function seed({ db, organisations, now, onProgress }: SeedContext): Promise<Record<string, number>> {
  onProgress('organisations');
  const names = organisations.map(({ name }) => name);
  await sql`
    insert into organisations (id, name, created_at) overriding system value
    select id, name, ${now}::timestamptz - make_interval(days => 200 + floor(150 * pg_temp.chance(id, 'customer since'))::int)
    from unnest(${names}::text[]) with ordinality as given (name, id)`.execute(db);
  const users = await writeUsers(db, organisations);
  return { organisations: organisations.length, users };
}

/** One hash for all: each costs memory and time by design. */
async function writeUsers(db: Db, organisations: readonly SeedOrganisation[]): Promise<number> {
  const password_hash = await createPasswordHasher().hash(SEED_LOGIN.password);
  const users = organisations.flatMap(({ id: org_id, domain }) =>
    USERS.map(({ local, role, names }) => {
      const name = names[org_id % names.length] as string;
      return { org_id, email: `${local}@${domain}`, name, role, password_hash };
    }),
  );
  await sql`
    insert into users (org_id, id, email, name, role, password_hash, created_at) overriding system value
    select given.org_id, nth, given.email, given.name, given.role, given.password_hash,
      organisations.created_at
    from rows from (jsonb_to_recordset(${JSON.stringify(users)}::jsonb)
      as (org_id bigint, email text, name text, role text, password_hash text)) with ordinality
      as given (org_id, email, name, role, password_hash, nth)
    join organisations on organisations.id = given.org_id`.execute(db);
  return users.length;
}
