import type { HistoryQueries } from '../../load/history.ts';

export const EMPLOYEE_HISTORY: HistoryQueries = {
  employee: [
    `select 'lost' as what, format('employee %s of organisation %s', given.email, given."orgId") as sample
  from jsonb_to_recordset($1::jsonb) as given ("orgId" bigint, email text, name text)
  left join employees e on e.org_id = given."orgId" and e.email = given.email and e.name = given.name
  where e.id is null`,
  ],
};
