/** Every wait and every size of the boxes. */

/** The kernel's period for a CPU quota: its own default. A tenth of a core is 10 ms in each of them. */
export const CPU_PERIOD_US = 100_000;

/** The kernel refuses a smaller quota. */
export const CPU_QUOTA_US_MIN = 1_000;

/** How often `neededBytes` is sampled for its peak: seven boxes at this rate take well under 1 % of a core. */
export const SAMPLE_MS = 100;

/** A killed process gives its memory back within this, even one that was dumping its pages. */
export const EMPTY_MS = 5_000;
export const POLL_MS = 10;

/** The probe allocates more than its box holds, and little enough to do no harm where nothing holds it. */
export const PROBE_BYTES = 64 * 1024 * 1024;
export const PROBE_ALLOCATES_BYTES = 160 * 1024 * 1024;
export const PROBE_MS = 10_000;

/** systemctl and docker answer within a second; docker may have to fetch its image first. */
export const SYSTEMD_MS = 10_000;
export const DOCKER_MS = 60_000;

/** Below this not even a shell starts. */
export const MEMORY_BYTES_MIN = 4 * 1024 * 1024;

/** A box of more cores than any machine has is a slip of the keyboard. */
export const CPUS_MAX = 1_024;
