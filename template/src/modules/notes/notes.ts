import type { DatabaseSession } from '../../../../src/db/read-write-split.ts';
import type { Db } from '../../../../src/db/schema.ts';
import { AppError } from '../../../../src/errors.ts';
import { type Actor, writeAudit } from '../../../../src/modules/audit/audit.ts';
import { announceEvent } from '../../../../src/modules/webhooks/webhooks.ts';
import { type OutboxEvent, writeToOutbox } from '../../../../src/queue/transactional-outbox.ts';
import { addToNoteDays, insertNote, type Note, type NoteChange, updateNote } from './queries.ts';

declare module '../../../../src/queue/transactional-outbox.ts' {
  interface Topics {
    'note.written': { readonly noteId: number; readonly day: string };
  }
}

/** Stores the note, the event about it and the entry in the audit log in one transaction. */
export function writeNote(
  db: DatabaseSession,
  actor: Actor,
  content: { readonly title: string; readonly body: string },
): Promise<Note> {
  const { orgId } = actor;
  return db.write(async (transaction) => {
    const note = await insertNote(transaction, orgId, content);
    const payload = { noteId: note.id, day: note.createdAt.slice(0, 10) };
    await writeToOutbox(transaction, { orgId, topic: 'note.written', payload });
    await writeAudit(transaction, actor, { action: 'note.written', subject: note.title });
    await announceEvent(transaction, { orgId, type: 'note.written', data: { noteId: note.id } });
    return note;
  });
}

/** Omitted fields stay as they are. Throws `not_found`. */
export function changeNote(db: DatabaseSession, actor: Actor, id: number, change: NoteChange): Promise<Note> {
  const { orgId } = actor;
  return db.write(async (transaction) => {
    const changed = await updateNote(transaction, orgId, id, change);
    if (changed === undefined) throw noSuchNote();
    const fields = Object.keys(change).join(', ');
    await writeAudit(transaction, actor, { action: 'note.changed', subject: changed.title, details: { fields } });
    return changed;
  });
}

/** Runs in the relay's transaction: each note is counted exactly once, even after a crash. */
export async function countWritten(transaction: Db, events: readonly OutboxEvent<'note.written'>[]): Promise<void> {
  await addToNoteDays(
    transaction,
    events.map(({ orgId, payload }) => ({ orgId, day: payload.day })),
  );
}

export function noSuchNote(): AppError {
  return new AppError('not_found', 'There is no such note.');
}
