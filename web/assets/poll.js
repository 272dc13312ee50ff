// Repeats `load` until the view is left. One request at a time, none while the tab is hidden (an open, forgotten tab
// costs the server nothing), and at once when the tab is seen again.

import { pause } from './api.js';

const FAILED_WAIT_MS = 5_000;

/**
 * `load` may return the next wait in ms (or null to stop); otherwise `everyMs` is used. `onFault` hears each failure.
 * @param {() => Promise<unknown>} load
 * @param {number} everyMs
 * @param {AbortSignal} signal
 * @param {(error: any) => void} onFault
 */
export async function poll(load, everyMs, signal, onFault = () => {}) {
  while (!signal.aborted) {
    let wait = everyMs;
    try {
      await visible(signal);
      const next = await load();
      if (next === null) return;
      wait = typeof next === 'number' ? next : everyMs;
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 401 || error.status === 404) return onFault(error);
      onFault(error);
      wait = Math.max(error.retryAfterMs ?? 0, FAILED_WAIT_MS) * (1 + Math.random() / 2);
    }
    await pause(wait, signal).catch(() => {});
  }
}

/** @returns {Promise<void>} */
async function visible(signal) {
  if (!document.hidden) return;
  return new Promise((resolve, reject) => {
    const done = new AbortController();
    const seen = () => {
      if (document.hidden) return;
      done.abort();
      resolve();
    };
    document.addEventListener('visibilitychange', seen, { signal: done.signal });
    signal.addEventListener(
      'abort',
      () => {
        done.abort();
        reject(signal.reason);
      },
      { once: true, signal: done.signal },
    );
  });
}
