import { PERSON_ROWS_MAX } from '../employees/limits.ts';
import type { PersonalData } from '../faces.ts';

export const person: PersonalData = {
  conversations: (db, orgId, personId) =>
    db
      .selectFrom('conversations')
      .where('org_id', '=', orgId)
      .where('employee_id', '=', personId)
      .select(['id', 'campaign_id as campaignId', 'started_at as startedAt', 'finished_at as finishedAt'])
      .orderBy('id')
      .limit(PERSON_ROWS_MAX)
      .execute(),
  messages: (db, orgId, personId) =>
    db
      .selectFrom('conversations')
      .innerJoin('messages', (join) =>
        join
          .onRef('messages.org_id', '=', 'conversations.org_id')
          .onRef('messages.conversation_id', '=', 'conversations.id'),
      )
      .where('conversations.org_id', '=', orgId)
      .where('conversations.employee_id', '=', personId)
      .select([
        'messages.conversation_id as conversationId',
        'messages.seq',
        'messages.sender',
        'messages.author',
        'messages.body',
        'messages.choice',
        'messages.sentiment',
        'messages.created_at as at',
      ])
      .limit(PERSON_ROWS_MAX)
      .execute(),
};
