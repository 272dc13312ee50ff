import { sql } from 'kysely';
import { createSeqs, selectStored } from '../../db/idempotent-message.ts';
import type { Database } from '../../db/read-write-split.ts';
import { AppError } from '../../errors.ts';
import { type Actor, writeAudit } from '../audit/audit.ts';
import { type InvitationKey, NO_SUCH_CHECK_IN } from './conversations.ts';
import { CONVERSATION_MESSAGES_MAX } from './limits.ts';
import { addMessages, MESSAGES, toMessage } from './queries.ts';
import type { Said } from './rooms.ts';

export interface Remark {
  readonly nonce: string;
  /** The name of the person, as the employee reads it. */
  readonly author: string;
  readonly text: string;
  readonly actor: Actor;
}

/**
 * Somebody of the people team writes into a conversation; the question that waits goes on waiting. Throws `not_found`
 * when the conversation has not begun, `conflict` when it has no room for more than its remaining questions and answers.
 * The same nonce is stored once.
 */
export function stepIn(
  database: Database,
  { orgId, reachOutId }: InvitationKey,
  { nonce, author, text, actor }: Remark,
): Promise<Said & { readonly seq: number }> {
  return database.transact(orgId, async (transaction) => {
    const { rows } = await sql<{ id: number; lastSeq: number; toCome: number; finished: boolean; at: string }>`
      select v.id, v.last_seq as "lastSeq", v.finished_at is not null as finished, now() as at,
        2 * (jsonb_array_length(c.questions) - v.step + 1) as "toCome"
      from conversations v join campaigns c on c.org_id = v.org_id and c.id = v.campaign_id
      where v.org_id = ${orgId} and v.reach_out_id = ${reachOutId} for update of v`.execute(transaction);
    const [conversation] = rows;
    if (conversation === undefined) throw NO_SUCH_CHECK_IN();
    const { id, lastSeq, toCome, finished, at } = conversation;
    const name = { place: id, nonce };
    const stored = createSeqs((await selectStored(MESSAGES, orgId, [name]).execute(transaction)).rows);
    const known = stored.of(name);
    if (known !== undefined) return { seq: known, messages: [], finished };
    if (lastSeq + 1 + toCome > CONVERSATION_MESSAGES_MAX)
      throw new AppError('conflict', 'This conversation has no room for more messages.');

    const message = { seq: lastSeq + 1, sender: 'person', author, nonce, body: text, asks: null } as const;
    await addMessages(transaction, orgId, [
      { ...message, conversation_id: id, question_seq: null, choice: null, unscored: false },
    ]);
    await transaction
      .updateTable('conversations')
      .set({ last_seq: message.seq, last_message_at: sql`now()` })
      .where('org_id', '=', orgId)
      .where('id', '=', id)
      .execute();
    await writeAudit(transaction, actor, { action: 'conversation.stepped-into', subject: `conversation ${id}` });
    return { seq: message.seq, messages: [toMessage({ ...message, at })], finished };
  });
}
