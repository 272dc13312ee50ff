import type { ColumnType, Selectable } from 'kysely';
import type { Tables } from './tables.ts';

/** The tables of migrations/*.sql as types: generated (tables.ts), with the names that the product gives to some of them. */
export interface Schema extends Tables {}

export type Role = Selectable<Tables['users']>['role'];
export type CampaignStatus = Selectable<Tables['campaigns']>['status'];
export type ReachOutStatus = Selectable<Tables['reach_outs']>['status'];

/** ISO 8601 text: nobody computes with times here. */
export type Time = ColumnType<string, string | Date, string | Date>;
export type SetOnce = ColumnType<string, string | Date | undefined, never>;
/** JSON goes in as text: pg would take an array for one of PostgreSQL's own. */
export type Rejections = ColumnType<{ line: number; reason: string }[], string | undefined, string>;
export type Payload = ColumnType<unknown, string, never>;
