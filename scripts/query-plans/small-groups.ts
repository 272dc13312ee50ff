import { modulePlans, type SmallGroup } from './module-plans.ts';

/** Those of each module, `smallGroups` of test/modules/<noun>/query-plans.ts; the platform's own tables have none. */
export const SMALL_GROUPS: readonly SmallGroup[] = (await modulePlans()).flatMap(({ smallGroups = [] }) => smallGroups);
