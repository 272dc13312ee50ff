/** How many sockets are tried, and how long each level is watched. */
import { SOCKET_PING_MS } from '../../../../src/limits.ts';
import type { ProfileName } from '../../../scenarios/scenario.ts';

export const SHARE_MIN = 0.8; // of the sockets that bare ws holds
export const STALL_MS_MAX = 50;

/** Files, servers and databases of the process, the probes, and room for sockets that are on their way. */
export const DESCRIPTORS_SPARE = 200;

/** The last one is lowered to what descriptors allow. */
export const LEVELS: Readonly<Record<ProfileName, readonly number[]>> = {
  ci: [100, 200],
  full: [5_000, 10_000, 15_000, 20_000],
};

/** At this one the stall is judged, and the bytes of a socket are counted. */
export const STALL_LEVEL: Readonly<Record<ProfileName, number>> = { ci: 200, full: 10_000 };

/** Of the levels that count: longer than a whole round of pings. */
export const WATCHED_MS: Readonly<Record<ProfileName, number>> = { ci: 1_000, full: SOCKET_PING_MS + 4_000 };
/** Of the others. */
export const GLANCE_MS = 2_000;
export const SAMPLE_MS = 1_000;

export const CONNECT_PER_SECOND = 1_000;
/** Past the time that connecting takes: a side that has not let everybody in by then is full. */
export const CONNECT_WAIT_MS = 5_000;
/** From each address a few hundred sockets, as from an office. */
export const ADDRESSES = 40;
