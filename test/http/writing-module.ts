import { Type } from 'typebox';
import type { DatabaseSession } from '../../src/db/read-write-split.ts';
import type { Db } from '../../src/db/schema.ts';
import { AppError } from '../../src/errors.ts';
import type { Module } from '../../src/modules/faces.ts';
import { writeNote } from '../../template/src/modules/notes/notes.ts';

const Titled = Type.Object({ title: Type.String() });

/** A module that writes in the ways in which handlers write, and waits, fails or asks in between. */
export function createWritingModule() {
  let gate = Promise.withResolvers<void>();
  const count = { written: 0 };
  const turns: (() => void)[] = [];
  const write = async (db: DatabaseSession, orgId: number, title: string) => {
    await writeNote(db, { orgId }, { title, body: '' });
    count.written++;
  };
  const module: Module = {
    name: 'writing',
    routes: async () => ({
      routes(api) {
        const schema = { body: Titled };
        api.post(
          '/writing/waits',
          { schema: { ...schema, response: { 201: Titled } } },
          async ({ db, user, body }, reply) => {
            await write(db, user.orgId, body.title);
            await gate.promise;
            return reply.code(201).send(body);
          },
        );
        api.post('/writing/late', { schema }, async ({ db, user, body }) => {
          await gate.promise;
          await write(db, user.orgId, body.title);
          return body;
        });
        api.post('/writing/in-turn', { schema }, async ({ db, user, body }) => {
          const turn = Promise.withResolvers<void>();
          turns.push(turn.resolve);
          await turn.promise;
          await write(db, user.orgId, body.title);
          return 'x'.repeat(100_000);
        });
        api.post('/writing/once', { schema }, async ({ db, user, body }) => {
          const turn = Promise.withResolvers<void>();
          turns.push(turn.resolve);
          await turn.promise;
          const query = (reader: Db) =>
            reader.selectFrom('notes').where('org_id', '=', user.orgId).select('id').execute();
          if ((await db.read(query)).length > 0) throw new AppError('gone', 'It was there.');
          await write(db, user.orgId, body.title);
          return body;
        });
        api.post('/writing/no-row', { schema }, async ({ db, user, body }) => {
          const query = (db: Db) => db.selectFrom('notes').where('org_id', '=', user.orgId).select('id').execute();
          await db.write(query);
          return body;
        });
        api.post('/writing/fails', { schema }, async ({ db, user, body }) => {
          await write(db, user.orgId, body.title);
          throw new AppError('conflict', 'After the write.');
        });
        const querystring = Type.Object({ again: Type.Optional(Type.String()) });
        api.post('/writing/twice', { schema: { ...schema, querystring } }, async ({ db, user, body }) => {
          await Promise.all([write(db, user.orgId, body.title), write(db, user.orgId, body.title)]);
          const { rows } = await db.read(async (reader) => ({
            rows: await reader.selectFrom('notes').where('org_id', '=', user.orgId).select('id').execute(),
          }));
          return { seen: rows.length };
        });
        api.post('/writing/nothing', { schema }, async () => ({ at: performance.now() }));
        api.post('/writing/large', { schema }, async ({ db, user, body }) => {
          await write(db, user.orgId, body.title);
          return 'x'.repeat(100_000);
        });
      },
    }),
  };
  return {
    module,
    count,
    /** Of those that wait to write: call them one by one. */
    turns,
    open(): void {
      gate.resolve();
      gate = Promise.withResolvers<void>();
      count.written = 0;
    },
  };
}
