import type { Kysely, Selectable } from 'kysely';
import type { Tables } from './tables.ts';

/** The tables of migrations/*.sql as types: generated, the platform's in tables.ts, a module's in its own tables.ts. */
export interface Schema extends Tables {}

/** A connection pool or a transaction: queries do not care which. */
export type Db = Kysely<Schema>;

export type Role = Selectable<Tables['users']>['role'];
