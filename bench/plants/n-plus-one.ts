import type { Plant } from './plant.ts';

/** The team of each row is asked for one by one. */
export const nPlusOne: Plant = {
  name: 'n-plus-one',
  file: 'src/modules/employees/queries.ts',
  edits: [
    [
      '  const rows = await query.execute();\n  return rows.map((row) => ({\n    id: row.id,\n    name: row.name,\n    email: row.email,',
      "  const rows = await query.execute();\n  for (const row of rows)\n    await db.selectFrom('teams').where('org_id', '=', orgId).where('id', '=', row.team_id).select('name').execute();\n  return rows.map((row) => ({\n    id: row.id,\n    name: row.name,\n    email: row.email,",
    ],
  ],
  scenarios: ['counters'],
  expected: /grown: GET \/api\/employees: queries/,
};
