import { type AlertRule, type AlertState, holds, nextState } from '../../../src/process/alert-before-full.ts';
import { type Look, MINUTE_MS } from './case.ts';

const RULE: AlertRule = {
  name: 'StoreFilling',
  ...{ severity: 'now', metric: 'used_share', above: 0.85, forMs: 10 * MINUTE_MS, unit: 'share' },
  says: 'The store is nearly full',
  look: 'Empty it.',
};

/** Calls somebody while there is room, when it has been like this for longer than the nightly job takes. */
export function createWatch(tell: () => void): (look: Look) => void {
  let state: AlertState | undefined;
  return ({ usedShare, nowMs }) => {
    const found = { rule: RULE, process: 'store', holds: holds(RULE, usedShare), value: usedShare, detail: '' };
    const next = nextState(state, found, nowMs);
    if (next?.firedAt !== null && next !== undefined && state?.firedAt == null) tell();
    state = next?.overAt == null ? next : undefined;
  };
}
