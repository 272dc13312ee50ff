import { RETENTION_DAYS } from '../../limits.ts';

export const AUDIT_DAYS = 400; // the policy only_old in the migration has the same number: a year, and time to look back at it
export const AUDIT_SUBJECT_CHARS_MAX = 300; // an address and a name; longer ones are cut
export const AUDIT_ACTION_CHARS_MAX = 60;

export const RELATIONS: readonly [string, boolean][] = [['AUDIT_DAYS <= RETENTION_DAYS', AUDIT_DAYS <= RETENTION_DAYS]];
