/** The rules of all modules (their face `staging`), and of the tables that belong to none. */
import type { Module, StagingRules } from '../../src/modules/faces.ts';

const PLATFORM_STAGING: StagingRules = {
  outbox: { leftOut: 'its events happen in the original' },
  idempotency_keys: { leftOut: 'the answers are encrypted with keys that only their callers have' },
  kysely_migration: { leftOut: 'the copy has migrated its own schema' },
  kysely_migration_lock: { leftOut: 'the copy has migrated its own schema' },
};

export async function stagingRules(modules: readonly Module[]): Promise<StagingRules> {
  const faces = await Promise.all(modules.map((module) => module.staging?.()));
  return Object.assign({ ...PLATFORM_STAGING }, ...faces.map((face) => face?.staging));
}
