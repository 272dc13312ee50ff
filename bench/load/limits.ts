/** Ceilings of the generator, which is a program in production, too: it must not be what breaks first. */

export const CONNECTIONS_DEFAULT = 256; // more than a nano answers at once, so that waiting happens in its queue, not in ours
export const IN_FLIGHT_MAX_DEFAULT = 4_000; // past it a request is dropped and counted: the memory of the generator is not the product's
export const REQUEST_MS_DEFAULT = 15_000; // above the product's own REQUEST_MS, so that its answer comes first
export const ANSWER_BYTES_MAX = 64 * 1024 * 1024; // an export of the largest organisation
export const WRONG_SAMPLES_MAX = 10;
export const WRONG_SAMPLE_CHARS_MAX = 300;
export const REMEMBERED_MAX = 200; // cursors, ids and names that one account keeps for later requests
export const OWNED_IDS_MAX = 200_000; // rows of which it is known whose they are
export const SAMPLE_EVERY_MS = 1_000;
export const LATENCY_US_MAX = 10 * 60 * 1_000_000; // longer counts as this
export const WORKER_START_MS = 20_000;
export const WORKER_STOP_MS = 10_000;

// Past these a run is inconclusive (bench/load/calibration.ts)
export const ELU_MAX = 0.7; // above it the generator's own queue is part of the latency
export const LATE_START_P99_MS_MAX = 5;
export const CALIBRATION_FACTOR_MIN = 3; // against a null server, of the highest rate that a scenario measured
