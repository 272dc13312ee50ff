import type { ColumnType, Selectable } from 'kysely';
import type { Tables } from './tables.ts';

/** The tables of migrations/*.sql as types: generated, the platform's in tables.ts, a module's in its own tables.ts. */
export interface Schema extends Tables {}

export type Role = Selectable<Tables['users']>['role'];

/** ISO 8601 text: our code does not compute with times. */
export type Time = ColumnType<string, string | Date, string | Date>;
export type SetOnce = ColumnType<string, string | Date | undefined, never>;
/** JSON is written as text: pg would send an array as a PostgreSQL array. */
export type JsonOf<Shape> = ColumnType<Shape, string, string>;
