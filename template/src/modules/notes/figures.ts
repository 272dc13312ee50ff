import { sql } from 'kysely';
import { Type } from 'typebox';
import type { Figures } from '../../../../src/modules/faces.ts';

export const figures: Figures = {
  notesThisWeek: {
    schema: Type.Integer(),
    select: (orgId) => sql`
      select coalesce(sum(written), 0)::int from note_days
      where org_id = ${orgId} and day between (now() at time zone 'utc')::date - 6 and (now() at time zone 'utc')::date`,
  },
};
