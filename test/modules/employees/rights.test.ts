import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { createTestDatabase } from '../../database.ts';

test.each(['delete from imports', 'truncate teams', "update teams set name = ''"])(
  'the requests of an organisation may not do this: %s',
  async (text) => {
    const on = await createTestDatabase({ replica: false });
    onTestFinished(() => on.close());
    await expect(on.database.write(1, (db) => sql.raw(text).execute(db))).rejects.toMatchObject({ code: '42501' });
  },
);
