import type { PlantedFault } from '../../planted-faults/planted-fault.ts';

/** The team of each row is asked for one by one. */
const nPlusOne: PlantedFault = {
  name: 'n-plus-one',
  file: 'src/modules/employees/queries.ts',
  edits: [
    [
      '  return found.map(toEmployee);',
      "  for (const row of found)\n    await db.selectFrom('teams').where('org_id', '=', orgId).where('id', '=', row.team_id).select('name').execute();\n  return found.map(toEmployee);",
    ],
  ],
  scenarios: ['counters'],
  expected: /GET \/api\/v1\/employees: queries/,
};

/** The list reads every employee and throws all but a page away: the answers stay right. */
const unpagedQuery: PlantedFault = {
  name: 'unpaged-query',
  file: 'src/modules/employees/queries.ts',
  edits: [['PAGES.all(db, { orgId, afterId, rows })', 'PAGES.all(db, { orgId, afterId, rows: 100_000 })']],
  scenarios: ['counters'],
  expected: /GET \/api\/v1\/employees: rows/,
};

export const plantedFaults = [unpagedQuery, nPlusOne];
