/**
 * Gives endpoints that are due their turns, in all organisations, several at once. Endpoints that fail or are slow
 * have places of their own, so that any number of them leaves room for the others. Several mailers do this at the same time, and
 * an endpoint is with one of them.
 *
 * The queue is a table: it needs no Redis, holds what waits for a day without memory, and is bounded per endpoint.
 */
import { EVERY_ORGANISATION } from '../../db/tenant-isolation.ts';
import { within } from '../../within.ts';
import { type ClaimedEndpoint, claimEndpoints } from './delivery-queries.ts';
import { WEBHOOK_DRAIN_MS, WEBHOOK_EVERY_MS, WEBHOOK_TURNS_AT_ONCE } from './limits.ts';
import type { Stop, TurnParts } from './turn.ts';

export interface Dispatcher {
  /** Until `stop` is aborted; then it waits for the calls that are being made, for `drainMs` at most. */
  run(stop: AbortSignal): Promise<void>;
  /** Endpoints that have their turn. */
  readonly active: number;
}

export function createDispatcher(parts: TurnParts, { drainMs } = { drainMs: WEBHOOK_DRAIN_MS }): Dispatcher {
  const turns = { fast: new Set<Promise<void>>(), slow: new Set<Promise<void>>() };
  /** Of every run: one that failed may have left calls behind. */
  const cut = new AbortController();
  let wake = () => {};

  /** Returns how many were begun. */
  async function fill(stop: Stop): Promise<number> {
    const places = {
      fast: WEBHOOK_TURNS_AT_ONCE.fast - turns.fast.size,
      slow: WEBHOOK_TURNS_AT_ONCE.slow - turns.slow.size,
    };
    if (places.fast + places.slow === 0) return 0;
    const claimed = await claimEndpoints(parts.database.primary(EVERY_ORGANISATION), places);
    for (const endpoint of claimed) {
      const own = endpoint.isSlow ? turns.slow : turns.fast;
      const turn = takeTurn(endpoint, stop).finally(() => {
        own.delete(turn);
        wake();
      });
      own.add(turn);
    }
    return claimed.length;
  }

  async function takeTurn(endpoint: ClaimedEndpoint, stop: Stop): Promise<void> {
    const { orgId, id } = endpoint;
    try {
      // A mailer that never calls an endpoint never loads what that takes.
      const { runTurn } = await import('./turn.ts');
      await runTurn(parts, endpoint, stop);
    } catch (error) {
      parts.log.error({ err: error, orgId, endpoint: id }, 'the turn of a webhook endpoint failed; its lease will end');
    }
  }

  async function drain(): Promise<void> {
    const all = Promise.all([...turns.fast, ...turns.slow]);
    await within(drainMs, all);
    cut.abort();
    await all;
  }

  return {
    async run(soon) {
      const stop = { soon, now: cut.signal };
      const wakeUp = () => wake();
      soon.addEventListener('abort', wakeUp, { once: true });
      try {
        while (!soon.aborted) {
          if ((await fill(stop)) === 0 && !soon.aborted) await rest();
        }
      } finally {
        soon.removeEventListener('abort', wakeUp);
        if (soon.aborted) await drain();
      }
    },
    get active() {
      return turns.fast.size + turns.slow.size;
    },
  };

  /** Until the next look, or until a turn ends. */
  function rest(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, WEBHOOK_EVERY_MS);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
