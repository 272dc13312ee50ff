import type { ColumnType } from 'kysely';

/** ISO 8601 text: our code does not compute with times. */
export type Time = ColumnType<string, string | Date, string | Date>;
export type SetOnce = ColumnType<string, string | Date | undefined, never>;
/** JSON is written as text: pg would send an array as a PostgreSQL array. */
export type JsonOf<Shape> = ColumnType<Shape, string, string>;
