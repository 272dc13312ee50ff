/** What the generator's process is told to do: plain data, because it crosses to another process. */
import type { LoadFigures } from '../types.ts';
import type { CheckCall } from './checks.ts';
import type { Arrivals, Phase } from './schedule.ts';

/** Somebody who is signed in. Sign in once per account and run (accounts.ts): sign-ins are limited, and cost a hash. */
export interface Account {
  readonly token: string;
  readonly orgId: number;
  readonly email: string;
  readonly role: 'owner' | 'admin' | 'viewer';
  /** Of all mail addresses of its organisation; an address of another domain is somebody else's. */
  readonly domain?: string;
  /** Its organisation is small: what reaches all of it is soon done. */
  readonly isSmall?: boolean;
  /** It runs the platform (OPERATORS). */
  readonly isOperator?: boolean;
  /** For requests that sign in again. */
  readonly password?: string;
}

export interface FixedRequest {
  /** Under which it is counted, for example `GET /api/v1/me`. */
  readonly route: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Statuses of a right answer; 429, 5xx and no answer count as failed, everything else as wrong. */
  readonly expect: readonly number[];
  readonly check?: CheckCall;
}

/** Names of steps, with their weights. */
export type Mix = Readonly<Record<string, number>>;

export interface OpenLoopPlan {
  readonly kind: 'open-loop';
  readonly url: string;
  readonly phases: readonly Phase[];
  readonly arrivals: Arrivals;
  readonly seed: number;
  /** Either steps with their weights (workload.ts) … */
  readonly mix?: Mix;
  /** `chance` (default) draws steps by their weight; in a `cycle` each comes as often as its weight says, then again. */
  readonly mixOrder?: 'chance' | 'cycle';
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

/** A load that a module generates itself (ModuleBench.generators): its kind begins with the module's name. */
export interface ModulePlan<Figures> {
  readonly kind: `${string}:${string}`;
  /** Only the type: what the generator returns. */
  readonly returns?: Figures;
}

export type LoadPlan = OpenLoopPlan | ClosedLoopPlan | ModulePlan<LoadFigures>;

/** What a generator tells while it runs. */
export interface Tell {
  onSample(sample: LoadSample): void;
  onEvent(event: string): void;
}

export interface Generator {
  /** It measures nothing: those who do beside it go first. */
  readonly givesWay?: true;
  run(plan: ModulePlan<LoadFigures>, tell: Tell, signal: AbortSignal): Promise<LoadFigures>;
}

export type Generators = Readonly<Record<string, Generator>>;

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

/** What goes to a generator's process, and what comes back. */
export type ToWorker = { readonly plan: LoadPlan } | { readonly stop: true };
export type FromWorker =
  | { readonly ready: true }
  | { readonly sample: LoadSample }
  | { readonly event: string }
  | { readonly figures: unknown }
  | { readonly error: string };
