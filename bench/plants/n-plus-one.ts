import type { Plant } from './plant.ts';

/** The team of each row is asked for one by one. */
export const nPlusOne: Plant = {
  name: 'n-plus-one',
  file: 'src/modules/employees/queries.ts',
  edits: [
    [
      '  return rows.map(toEmployee);',
      "  for (const row of rows)\n    await db.selectFrom('teams').where('org_id', '=', orgId).where('id', '=', row.team_id).select('name').execute();\n  return rows.map(toEmployee);",
    ],
  ],
  scenarios: ['counters'],
  expected: /grown: GET \/api\/employees: queries/,
};
