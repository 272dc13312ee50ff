// Timers with names: at most one of each, and all of them can be stopped.

/** @import { Environment } from './environment.js' */

/** @param {Pick<Required<Environment>, 'startTimer' | 'stopTimer'>} environment */
export function createTimers({ startTimer, stopTimer }) {
  const timers = new Map();

  function stop(name) {
    stopTimer(timers.get(name));
    timers.delete(name);
  }

  return {
    /**
     * Instead of the one that runs under this name.
     * @param {string} name
     * @param {() => void} run
     * @param {number} ms
     */
    start(name, run, ms) {
      stop(name);
      timers.set(name, startTimer(run, ms));
    },
    /** @param {string} name */
    stop,
    stopAll() {
      for (const name of [...timers.keys()]) stop(name);
    },
  };
}
