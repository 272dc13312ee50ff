import { modulePlans } from './module-plans.ts';

/** Rows that share these columns are few, because the product keeps them so: each with what does. */
export interface SmallGroup {
  readonly table: string;
  readonly columns: readonly string[];
  readonly because: string;
}

/** Those of each module, `smallGroups` of test/modules/<noun>/query-plans.ts; the platform's own tables have none. */
export const SMALL_GROUPS: readonly SmallGroup[] = (await modulePlans()).flatMap(({ smallGroups = [] }) => smallGroups);
