import type { Tenant } from '../../scenarios/tenant.ts';

export const tenant: Tenant = {
  async arrange({ orgId, client, database, mark }) {
    const team = await database.db
      .insertInto('teams')
      .values({ org_id: orgId, name: `Team ${mark}` })
      .returning('id')
      .executeTakeFirstOrThrow();
    const people = await database.db
      .insertInto('employees')
      .values(
        [1, 2, 3].map((n) => ({
          org_id: orgId,
          team_id: team.id,
          name: `Person ${n} ${mark}`,
          email: `p${n}@${mark}.test`,
        })),
      )
      .returning('id')
      .execute();
    const { body } = await client.send<{ id: number }>('POST', '/api/v1/imports', { fileName: `${mark}.csv` });
    // The one that is asked for is erased by that; the modules above use the one who stays.
    return { teams: team.id, employees: people[0]?.id as number, staying: people[1]?.id as number, imports: body.id };
  },
  requests: {
    'PUT /api/v1/imports/{id}/file': {
      body: 'name,email\nEve,eve@evil.test\n',
      headers: { 'content-type': 'text/csv' },
    },
  },
  unversioned: {
    'PUT /api/v1/imports/{id}/file': 'an import takes one file, once',
  },
  unaudited: {
    'POST /api/v1/imports': 'an import without its file changes nobody; the file that is sent to it is an entry',
    'POST /api/v1/imports/preview': 'it writes nothing',
  },
  filters: ({ teams }) => [`/api/v1/employees?teamId=${teams}`, `/api/v1/employees?teamId=${teams}&search=person`],
};
