/**
 * Where alerts are kept: in PostgreSQL, so that each is told once, whichever mailer judges it and whatever restarts.
 * While the primary is away they are kept here, or nobody would hear of exactly that; when it is back, what was told
 * meanwhile is written down.
 */
import { isServerAway } from '../../db/deadlock-retry.ts';
import type { Database } from '../../db/read-write-split.ts';
import { EVERY_ORGANISATION } from '../../db/tenant-isolation.ts';
import { AppError } from '../../errors.ts';
import type { AlertState } from '../../process/alert-before-full.ts';
import { keyOf, ofKey } from './alert-state.ts';
import { deleteAlert, lockAlerts, storeAlert } from './queries.ts';

export type Changes = ReadonlyMap<string, AlertState | undefined>;

export interface AlertStore {
  /**
   * Passes all alerts to `change`, stores what it returns (undefined: it is gone), and returns the same. Several mailers
   * take turns.
   */
  update(change: (states: readonly AlertState[]) => Changes): Promise<Changes>;
}

export function createAlertStore(database: Database): AlertStore {
  let known = new Map<string, AlertState>();
  /** Undefined while the primary answers. */
  let meanwhile: Map<string, AlertState | undefined> | undefined;

  function inMemory(change: (states: readonly AlertState[]) => Changes): Changes {
    meanwhile ??= new Map();
    const changes = change([...known.values()]);
    for (const [key, state] of changes) {
      meanwhile.set(key, state);
      if (state === undefined) known.delete(key);
      else known.set(key, state);
    }
    return changes;
  }

  return {
    async update(change) {
      try {
        const { states, changes } = await database.transact(EVERY_ORGANISATION, async (transaction) => {
          const before = new Map((await lockAlerts(transaction)).map((state) => [keyOf(state), state]));
          const stored = new Map<string, AlertState | undefined>(meanwhile);
          for (const [key, state] of meanwhile ?? []) replace(before, key, state);
          const changed = change([...before.values()]);
          for (const [key, state] of changed) {
            stored.set(key, state);
            replace(before, key, state);
          }
          for (const [key, state] of stored) {
            if (state === undefined) await deleteAlert(transaction, ofKey(key));
            else await storeAlert(transaction, state);
          }
          return { states: before, changes: changed };
        });
        known = states;
        meanwhile = undefined;
        return changes;
      } catch (error) {
        const isBusy = error instanceof AppError && error.code === 'overloaded';
        if (!isServerAway(error) && !isBusy) throw error;
        return inMemory(change);
      }
    },
  };
}

function replace(states: Map<string, AlertState>, key: string, state: AlertState | undefined): void {
  if (state === undefined) states.delete(key);
  else states.set(key, state);
}
