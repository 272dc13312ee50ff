/** What goes on beside the office day: a load of a module that the mix of requests cannot hold. */
import type { Addresses } from '../layout/parts.ts';
import type { LoadFigures } from '../types.ts';
import type { Account, ModulePlan, OpenLoopPlan } from './plan.ts';

export interface Alongside {
  /** Its name among the loads of a result. */
  readonly name: string;
  /** Its request or message whose latency speaks for it; default: all of them. */
  readonly judgedBy?: string;
  /** Prepares what it needs, and returns the plan. */
  plan(context: AlongsideContext): Promise<OpenLoopPlan | ModulePlan<LoadFigures>>;
}

export interface AlongsideContext {
  readonly addresses: Addresses;
  readonly accounts: readonly Account[];
  readonly seconds: number;
  readonly seed: number;
  /** For its acknowledged writes. */
  readonly historyFile: string;
}
