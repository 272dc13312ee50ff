import { forgetRows, type Retention } from '../../queue/retention.ts';
import { deleteOldDeliveries } from './endpoint-queries.ts';
import { WEBHOOK_DELIVERY_DAYS } from './limits.ts';

export const retention = {
  webhook_endpoints: { kept: 'until somebody deletes it, for as long as its organisation is a customer' },
  webhook_deliveries: {
    deleted: `${WEBHOOK_DELIVERY_DAYS} days after what they report, whether they arrived or not; they have ids and no personal data`,
    forget: (database, signal) =>
      forgetRows(database, signal, (db, rows) => deleteOldDeliveries(db, WEBHOOK_DELIVERY_DAYS, rows)),
  },
} as const satisfies Retention;
