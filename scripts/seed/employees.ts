import { sql } from 'kysely';
import type { Db } from '../../src/db/database.ts';
import type { SeedOrganisation } from './organisations.ts';

/**
 * Writes the employees of one organisation. Teams differ in size. Most people were there when the organisation came,
 * the others joined since; a few have unsubscribed.
 *
 * Names: STEP is coprime to the number of names, so that the first `NAMES` people of an organisation all have different
 * ones; whoever comes after has a number in the address, as in life.
 */
export async function writeEmployees(db: Db, organisation: SeedOrganisation, now: Date): Promise<void> {
  const { id: orgId, domain, employees, firstEmployee, teams } = organisation;
  await sql`
    insert into employees (org_id, id, team_id, email, name, created_at, unsubscribed_at) overriding system value
    select o.id, e.id,
      (select min(id) from teams where org_id = o.id) + floor(${teams}::int * power(pg_temp.chance(e.id, 'team'), 1.4)),
      first.handle || '.' || last.handle || coalesce(nullif(nth / ${NAMES}::int + 1, 1)::text, '') || '@' || ${domain}::text,
      first.name || ' ' || last.name,
      case when pg_temp.chance(e.id, 'joined') < 0.8 then o.created_at + interval '20 minutes'
        else o.created_at + (${now}::timestamptz - o.created_at) * pg_temp.chance(e.id, 'joined when') end,
      case when pg_temp.chance(e.id, 'unsubscribed') < 0.015
        then ${now}::timestamptz - interval '90 days' * pg_temp.chance(e.id, 'unsubscribed when') end
    from (
      select nth, ${firstEmployee}::bigint + nth as id, (nth * ${STEP}::bigint + ${orgId * 131}::int) % ${NAMES}::int as pick
      from generate_series(0, ${employees}::int - 1) as nth
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

// biome-ignore format: a list to read over, not one name per line
const FIRST_NAMES = [
  'Mara', 'Jonas', 'Amina', 'Zoë', 'Henrik', 'Lucía', 'Tomás', 'Priya', 'Oskar', 'Leila', 'Yuki', 'Samir', 'Nadia',
  'Felix', 'Ingrid', 'Mateo', 'Chiara', 'Ravi', 'Elif', 'Viktor', 'Noémie', 'Ahmed', 'Greta', 'Kwame', 'Sofia',
  'Mikael', 'Hana', 'Luca', 'Teresa', 'Bilal', 'Anneke', 'Diego', 'Olga', 'Ines', 'Malik', 'Freya', 'Andrei', 'Mei',
  'Pablo', 'Sigrid', 'Omar', 'Renée', 'Joao', 'Katya', 'Emil', 'Fatima', 'Ivan', 'Rosa', 'Tariq', 'Linnea', 'Marco',
  'Aisha', 'Piotr', 'Clara', 'Hugo', 'Zainab', 'Lars', 'Beatriz', 'Idris', 'Selma', 'Theo', 'Noor', 'Jakub', 'Vera',
  'Arjun', 'Maite', 'Nils', 'Salma', 'Bruno', 'Astrid', 'Kenji', 'Paula', 'Youssef', 'Edith', 'Milan', 'Carmen', 'Otto',
  'Dalia', 'Rafael', 'Wanda',
];

// biome-ignore format: as above
const LAST_NAMES = [
  'Lindqvist', 'Okafor', 'Moreau', 'Tanaka', 'Novak', 'Haddad', 'Keller', 'Rossi', 'Mensah', 'Ferreira', 'Johansson',
  "O'Neill", 'Petrov', 'Yilmaz', 'Dubois', 'Sharma', 'Kowalski', 'Nguyen', 'Hansen', 'García', 'Bauer', 'Suzuki', 'Diallo',
  'Romano', 'Virtanen', 'Costa', 'Ivanova', 'Meyer', 'Rahman', 'Larsen', 'Castillo', 'Weber', 'Kimura', 'Silva', 'Horvat',
  'Nielsen', 'Traoré', 'Fischer', 'Marino', 'Patel', 'Berg', 'Demir', 'Laurent', 'Sato', 'Popescu', 'Vargas', 'Schmid',
  'Abebe', 'Nowak', 'Jensen', 'Delgado', 'Khan', 'Vogel', 'Conti', 'Eriksen', 'Morales', 'Boateng', 'Lefèvre', 'Kaya',
  'Hofer', 'Santos', 'Mori', 'Dahl', 'Peeters', 'Raman', 'Zimmermann', 'Cruz', 'Bianchi', 'Olsen', 'Farah', 'Janssen',
  'Marques', 'Wójcik', 'Lang', 'Ito', 'Ortega', 'Brandt', 'Saidi', 'Korhonen', 'Fontaine', 'Mazur', 'Prieto', 'Hahn',
  'Osei', 'Visser', 'Nakamura', 'Reyes', 'Stein', 'Bello', 'Aalto',
];

const NAMES = FIRST_NAMES.length * LAST_NAMES.length;
const STEP = 4_567;
