import type { Db } from '../../src/db/schema.ts';

/** A list page of a module, and the same page without the product. */
export interface ListPage {
  /** With nothing in its query: the first 50 rows. */
  readonly path: string;
  /** How many rows `fill` writes. */
  readonly rows: number;
  /** The same statement, named: $1 the organisation, $2 the id before the page. */
  readonly bare: { readonly name: string; readonly text: string };
  fill(db: Db, orgId: number): Promise<void>;
}
