import type { Tenant } from '../../scenarios/tenant.ts';

export const tenant: Tenant = {
  async arrange({ orgId, database, mark }) {
    await database.db
      .insertInto('audit_log')
      .values([
        { org_id: orgId, actor: `Actor ${mark}`, action: 'thing.changed', subject: mark, details: '{}' },
        { org_id: orgId, actor: `Actor ${mark}`, action: 'thing.removed', subject: mark, details: '{}' },
      ])
      .execute();
    return {};
  },
  tables: { '/api/v1/audit-log': 'audit_log' },
};
