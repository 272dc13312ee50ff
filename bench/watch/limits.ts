/** Ceilings of the watcher: it may measure, and must not be felt. */

export const WATCH_EVERY_MS = 1_000;

/** Within one sample; later, the process counts as too busy to say. */
export const METRICS_MS = 900;
export const OPERATIONS_MS = 900;

/** What prom-client's histogram of event-loop delays takes for a tick. */
export const PROM_RESOLUTION_MS = 10;

/** The longest soak, a sample a second. */
export const WATCH_SAMPLES_MAX = 8 * 60 * 60;
