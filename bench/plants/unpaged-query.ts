import type { Plant } from './plant.ts';

/** The list reads every employee and throws all but a page away: the answers stay right. */
export const unpagedQuery: Plant = {
  name: 'unpaged-query',
  file: 'src/modules/employees/queries.ts',
  edits: [['PAGES.all(db, { orgId, afterId, rows: limit + 1 })', 'PAGES.all(db, { orgId, afterId, rows: 100_000 })']],
  scenarios: ['counters'],
  expected: /grown: GET \/api\/employees: rows/,
};
