/** What the generator's process is told to do: plain data, because it crosses to another process. */
import type { CheckCall } from './checks.ts';
import type { Arrivals, Phase } from './schedule.ts';

/** Somebody who is signed in. Sign in once per account and run (accounts.ts): sign-ins are limited, and cost a hash. */
export interface Account {
  readonly token: string;
  readonly orgId: number;
  readonly email: string;
  readonly role: 'owner' | 'admin' | 'viewer';
  /** The domain of all of its organisation's employees; mails of another domain are somebody else's. */
  readonly domain?: string;
  /** Campaigns of this account may be launched: its organisation is small. */
  readonly mayLaunch?: boolean;
  /** For requests that sign in again. */
  readonly password?: string;
}

export interface FixedRequest {
  /** Under which it is counted, for example `GET /api/me`. */
  readonly route: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Statuses of a right answer; 429, 5xx and no answer count as failed, everything else as wrong. */
  readonly expect: readonly number[];
  readonly check?: CheckCall;
}

export interface OpenLoopPlan {
  readonly kind: 'open-loop';
  readonly url: string;
  readonly phases: readonly Phase[];
  readonly arrivals: Arrivals;
  readonly seed: number;
  /** Either steps of mixes.ts with their weights … */
  readonly mix?: Readonly<Record<string, number>>;
  readonly accounts?: readonly Account[];
  /** … or requests as they are, in turn. */
  readonly requests?: readonly FixedRequest[];
  /** Requests due before this are sent but not counted, except when their answers are wrong. */
  readonly warmUpSeconds?: number;
  readonly connections?: number;
  readonly inFlightMax?: number;
  readonly requestMs?: number;
  /** Acknowledged writes go here, a JSON line each (history.ts). */
  readonly historyFile?: string;
}

export interface ClosedLoopPlan {
  readonly kind: 'closed-loop';
  readonly url: string;
  readonly request: FixedRequest;
  readonly connections: number;
  readonly seconds: number;
}

export type AnswerPace =
  /** Each person thinks for a time between the two (seeded) after each question. */
  | { readonly kind: 'think'; readonly minMs: number; readonly maxMs: number }
  /** Answers are due on a schedule, whoever is next gives them; a due answer without anybody is dropped. */
  | { readonly kind: 'schedule'; readonly phases: readonly Phase[]; readonly arrivals: Arrivals };

export interface SocketsPlan {
  readonly kind: 'sockets';
  /** Of the chat, http: or ws:. */
  readonly url: string;
  /** Check-in tokens (check-in-tokens.ts): one conversation each. */
  readonly tokens: readonly string[];
  /** Conversations open at once; the next token is taken when one is finished. Default: all. */
  readonly atOnce?: number;
  /** First connections are spread over this time. */
  readonly connectSeconds: number;
  /** `storm`: everybody connects, then the server dies and everybody comes back (wait for `connected`, then end it). */
  readonly mode: 'steady' | 'storm';
  readonly pace: AnswerPace;
  /** At most; steady: after connecting. Storm: after connecting until the server dies, and again from then on. */
  readonly seconds: number;
  readonly seed: number;
  readonly historyFile?: string;
}

export type LoadPlan = OpenLoopPlan | ClosedLoopPlan | SocketsPlan;

/** Once a second, for the live view. */
export interface LoadSample {
  readonly atSeconds: number;
  readonly dueSeconds: number;
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly inFlight: number;
  readonly failed: number;
  readonly wrong: number;
  readonly dropped: number;
  readonly elu: number;
}
