// Where the client runs when it runs in a page: the device's storage, and what the browser knows of network and person.

/** @import { Environment } from './environment.js' */

/** @returns {Environment} */
export function browserEnvironment() {
  return { storage: deviceStorage(), watch };
}

/** Null where the browser refuses it, even to be looked at. */
function deviceStorage() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

function watch({ offline, online, back }) {
  const stop = new AbortController();
  const { signal } = stop;
  const shown = () => document.hidden || back();
  window.addEventListener('offline', offline, { signal });
  window.addEventListener('online', online, { signal });
  window.addEventListener('pageshow', ({ persisted }) => persisted && back(), { signal });
  document.addEventListener('visibilitychange', shown, { signal });
  return () => stop.abort();
}
