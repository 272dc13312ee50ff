import { sql } from 'kysely';
import { Type } from 'typebox';
import type { Figures } from '../faces.ts';

export const figures: Figures = {
  campaignsSending: {
    schema: Type.Integer(),
    select: (orgId) => sql`select count(*)::int from campaigns where org_id = ${orgId} and status = 'sending'`,
  },
};
