import type { PersonalData } from '../faces.ts';

export const person: PersonalData = {
  employees: (db, orgId, personId) =>
    db
      .selectFrom('employees')
      .innerJoin('teams', (join) =>
        join.onRef('teams.org_id', '=', 'employees.org_id').onRef('teams.id', '=', 'employees.team_id'),
      )
      .where('employees.org_id', '=', orgId)
      .where('employees.id', '=', personId)
      .select([
        'employees.id',
        'employees.name',
        'employees.email',
        'teams.name as team',
        'employees.created_at as createdAt',
        'employees.unsubscribed_at as unsubscribedAt',
      ])
      .execute(),
};
