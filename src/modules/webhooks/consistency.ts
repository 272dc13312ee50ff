import type { Rules } from '../faces.ts';

export const consistency: Rules = {
  wokenEndpoints: {
    holds: 'a webhook for which something waits is looked at when it is due, and a disabled one has nothing waiting',
    faults: `
      select format('webhook %s of organisation %s is due at %s, its next delivery at %s', e.id, e.org_id, e.due_at, d.due_at) as fault
      from webhook_endpoints e, lateral (
        select min(due_at) as due_at from webhook_deliveries
        where org_id = e.org_id and endpoint_id = e.id and due_at is not null
      ) as d
      where (d.due_at is not null) <> (e.due_at is not null) and e.leased_until is null
        or e.disabled_at is not null and d.due_at is not null`,
  },
};
