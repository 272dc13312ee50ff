import type { ColumnType, Selectable } from 'kysely';
import type { Tables } from './tables.ts';

/** The tables of migrations/*.sql as types: generated in tables.ts, with our own names for some of the column types. */
export interface Schema extends Tables {}

export type Role = Selectable<Tables['users']>['role'];
export type CampaignStatus = Selectable<Tables['campaigns']>['status'];
export type ReachOutStatus = Selectable<Tables['reach_outs']>['status'];

/** ISO 8601 text: our code does not compute with times. */
export type Time = ColumnType<string, string | Date, string | Date>;
export type SetOnce = ColumnType<string, string | Date | undefined, never>;
/** JSON is written as text: pg would send an array as a PostgreSQL array. */
export type Rejections = ColumnType<{ line: number; reason: string }[], string | undefined, string>;
export type Payload = ColumnType<unknown, string, never>;
