import type { Db } from '../../../src/db/database.ts';

type Tables = {
  customers: { id: number; name: string };
  items: { id: number; name: string };
  warehouses: { id: number; city: string };
  orders: {
    id: number;
    customer_id: number;
    item_id: number;
    warehouse_id: number;
    units: number;
    note: string | null;
  };
};

export interface Order {
  readonly id: number;
  readonly customer: string;
  readonly item: string;
  readonly city: string;
  readonly units: number;
  readonly note: string | null;
}

/** One row of four tables, by its key: both twins ask for the same. */
export function orderById(db: Db, { id }: { id: number }) {
  return db
    .withTables<Tables>()
    .selectFrom('orders')
    .innerJoin('customers', 'customers.id', 'orders.customer_id')
    .innerJoin('items', 'items.id', 'orders.item_id')
    .innerJoin('warehouses', 'warehouses.id', 'orders.warehouse_id')
    .where('orders.id', '=', id)
    .select([
      'orders.id',
      'customers.name as customer',
      'items.name as item',
      'warehouses.city',
      'orders.units',
      'orders.note',
    ]);
}
