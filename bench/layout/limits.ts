/** Every wait and every size of the layouts; those of the servers themselves are in scripts/embedded/limits.ts. */

export const MEMORY_SAMPLE_MS = 1_000;

/** A soak of eight hours, a sample a second. */
export const MEMORY_SAMPLES_MAX = 8 * 60 * 60;

/** After SIGKILL only the kernel is left to wait for; a PostgreSQL that has lost its head ends its children itself. */
export const DEATH_MS = 10_000;
export const POLL_MS = 10;

/** Copying and dropping a cache of a few hundred megabytes on a slow disk. */
export const COPY_MS = 120_000;

/** Smaller files are not worth a process each: what they hide from the boxes is below 1 MB altogether. */
export const DROP_BYTES_MIN = 128 * 1024;
