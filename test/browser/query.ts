import { Client } from 'pg';
import { product } from './browser.ts';

/** One statement on the product's own database. */
export async function query<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]> {
  const client = new Client({ connectionString: product().databaseUrl });
  await client.connect();
  const { rows } = await client.query<Row>(text, [...values]);
  await client.end();
  return rows;
}
