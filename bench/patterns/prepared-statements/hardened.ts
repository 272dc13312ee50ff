import { prepareQuery } from '../../../src/db/prepared-statements.ts';
import { openBenchPool } from '../bench-pool.ts';
import { CONNECTIONS, type Orders } from './case.ts';
import { orderById } from './order.ts';

const preparedOrderById = prepareQuery(orderById);

/** The product's pool names each statement by its text: parsed once per connection, and its plan is kept. */
export function openOrders(url: string): Orders {
  const { unscoped: db, close } = openBenchPool(keepingPlans(url), CONNECTIONS);
  return {
    db,
    byId: (id) => preparedOrderById(db, { id }),
    close,
  };
}

/** As the scope of every statement asks for; the owner, who has no scope here, asks when the connection is made. */
function keepingPlans(url: string): string {
  return `${url}?options=${encodeURIComponent('-c plan_cache_mode=force_generic_plan')}`;
}
