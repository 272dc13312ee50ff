import { sql } from 'kysely';
import { Type } from 'typebox';
import type { Figures } from '../faces.ts';

export const figures: Figures = {
  employees: {
    schema: Type.Integer(),
    select: (orgId) => sql`select coalesce(sum(employees), 0)::int from teams where org_id = ${orgId}`,
  },
  teams: {
    schema: Type.Integer(),
    select: (orgId) => sql`select count(*)::int from teams where org_id = ${orgId}`,
  },
};
