import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../../../src/db/schema.ts';
import type { ListPage } from '../../list-page/list-page.ts';

const EMPLOYEES = 200_000;
const TEAMS = 40;

/** 50 employees with their teams, of 200,000. */
export const listPage: ListPage = {
  path: '/api/v1/employees',
  rows: EMPLOYEES,
  bare: {
    name: 'employees-page',
    text: `
      select e.id, e.name, e.email, e.team_id, t.name as team, e.unsubscribed_at, e.created_at
      from employees e join teams t on t.org_id = e.org_id and t.id = e.team_id
      where e.org_id = $1 and e.id > $2 order by e.id limit 51`,
  },

  async fill(db: Db, orgId: number) {
    await run(
      sql`insert into teams (org_id, name) select ${orgId}::bigint, 'Team ' || n from generate_series(1, ${TEAMS}::int) n`,
    );
    await run(sql`
      insert into employees (org_id, team_id, email, name)
      select ${orgId}::bigint, (select min(id) from teams) + n % ${TEAMS}::int, 'person-' || n || '@list.test', 'Person Number ' || n
      from generate_series(1, ${EMPLOYEES}::int) n`);

    async function run(statement: RawBuilder<unknown>): Promise<void> {
      await statement.execute(db);
    }
  },
};
