import { sql } from 'kysely';
import { Type } from 'typebox';
import type { Figures } from '../faces.ts';

export const figures: Figures = {
  openConversations: {
    schema: Type.Integer(),
    select: (orgId) => sql`
      select count(*)::int from conversations
      where org_id = ${orgId} and started_at > now() - interval '1 day' and finished_at is null`,
  },
};
