import type { Rules } from '../faces.ts';

export const consistency: Rules = {
  teamCounts: {
    holds: 'each team counts its people, and those of them who may be sent mail',
    faults: `
      select format('team %s of organisation %s says %s and %s, and has %s and %s', t.id, t.org_id, t.employees, t.reachable,
        count(e.id), count(e.id) filter (where e.unsubscribed_at is null)) as fault
      from teams t left join employees e on e.org_id = t.org_id and e.team_id = t.id
      group by t.org_id, t.id
      having t.employees <> count(e.id) or t.reachable <> count(e.id) filter (where e.unsubscribed_at is null)`,
  },
  importedRows: {
    holds: 'an import that is done accounts for every row that it read',
    faults: `
      select format('import %s of organisation %s read %s rows and accounts for %s', id, org_id, rows_read,
        rows_added + rows_updated + rows_unchanged + rows_rejected) as fault
      from imports where status = 'done' and rows_read <> rows_added + rows_updated + rows_unchanged + rows_rejected`,
  },
};
