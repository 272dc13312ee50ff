import { SEED_LOGIN } from '../../scripts/seed.ts';

/** Of `counters`: of an organisation that no other scenario signs in to, so what it is shown does not depend on the order. */
export const COUNTED = 'admin@eightlegs.test';

/** Those of the seed who run the platform: one in each organisation that a scenario asks alone. */
export const OPERATORS: readonly string[] = [SEED_LOGIN.email, 'owner@tunstate.test', COUNTED];
