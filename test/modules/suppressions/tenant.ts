import type { Tenant } from '../../scenarios/tenant.ts';

export const tenant: Tenant = {
  async arrange({ client, mark }) {
    const { body } = await client.send<{ id: number }>('POST', '/api/v1/suppressions', {
      address: `${mark}@suppressed.test`,
    });
    return { suppressions: body.id };
  },
};
