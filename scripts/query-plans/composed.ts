import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import type { Schema } from '../../src/db/schema.ts';
import { summary } from '../../src/modules/dashboard/queries.ts';
import { MODULES } from '../../src/modules.ts';
import type { Statement } from './statements.ts';

/** The function whose statement no file shows: every module that has figures adds to it. */
export const COMPOSED_SITE = 'src/modules/dashboard/queries.ts summary';

/** The statement as the modules of the list make it, in a list; an empty one without any figures. */
export async function composedStatements(): Promise<Statement[]> {
  const faces = await Promise.all(MODULES.flatMap(({ figures }) => figures?.() ?? []));
  const issued: string[] = [];
  const db = new Kysely<Schema>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (of) => new PostgresIntrospector(of),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
    log: ({ query }) => void issued.push(query.sql),
  });
  await summary(db, 1, Object.assign({}, ...faces.map(({ figures }) => figures)));
  return issued.map((sql) => ({ roles: ['tenant'], sites: [COMPOSED_SITE], sql }));
}
