import type { Plant } from './plant.ts';

/** The list reads every employee and throws all but a page away: the answers stay right. */
export const unpagedQuery: Plant = {
  name: 'unpaged-query',
  file: 'src/modules/employees/queries.ts',
  edits: [
    [
      "    .orderBy('employees.id')\n    .limit(limit + 1);",
      "    .orderBy('employees.id');\n  if (limit < 1) return [];",
    ],
  ],
  scenarios: ['counters'],
  expected: /grown: GET \/api\/employees: rows/,
};
