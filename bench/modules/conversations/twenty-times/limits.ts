/** The service level that every rung is held to, and how long the search may take. */
import { SOCKETS_MAX } from '../../../../src/limits.ts';
import type { ProfileName } from '../../../scenarios/scenario.ts';

export const ACK_P99_MS_MAX = 1_000;
export const DASHBOARD_P95_MS_MAX = 500;
export const MAILS_PER_SECOND_MIN = 50; // 30,000 within ten minutes
export const FAILED_SHARE_MAX = 0.001;
export const ANSWERED_SHARE_MIN = 0.9; // of what was due in the measured time: what hangs has no latency yet

export const THINK_MS = { minMs: 5_000, maxMs: 15_000 } as const; // between a question and its answer
export const DASHBOARD_PER_SECOND = 10; // people teams of ten organisations
export const PROVIDER_MAILS_PER_SECOND = 200; // four times what the campaign needs: a mailer that waits for the CPU loses its turns
export const MAILS_LEFT_MIN = 15_000; // fewer could all be sent before the next level ends

/** Past these shares of a limit, the generator may be what broke. */
export const LATE_SHARE_MAX = 0.1;

export interface Times {
  readonly usersFirst: number;
  readonly usersMax: number;
  /** Everybody arrives within this time … */
  readonly connectSeconds: number;
  /** … and answers at full rate from this one on: only then anything is counted. */
  readonly warmUpSeconds: number;
  readonly countedSeconds: number;
  /** No level that only narrows the gap is begun after this … */
  readonly narrowSeconds: number;
  /** … and none at all after this. */
  readonly rungSeconds: number;
}

export const TIMES: Readonly<Record<ProfileName, Times>> = {
  /** Only whether it works. */
  ci: {
    ...{ usersFirst: 50, usersMax: 200, connectSeconds: 2, warmUpSeconds: 6, countedSeconds: 5 },
    ...{ narrowSeconds: 0, rungSeconds: 0 },
  },
  full: {
    ...{ usersFirst: 400, usersMax: SOCKETS_MAX, connectSeconds: 10, warmUpSeconds: 15, countedSeconds: 12 },
    ...{ narrowSeconds: 100, rungSeconds: 165 },
  },
};

export const QUIET_MS = 250; // a server that answers this fast has nothing left of the level before
export const QUIET_WAIT_MS = 20_000; // then the next level has to live with it
export const LAUNCH_WAIT_MS = 20_000; // until the first mail of a campaign goes out
export const POLL_MS = 200;
