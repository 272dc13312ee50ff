/** What the generator of flood.ts is told to do: plain data, because it crosses to another process. */
import type { ModulePlan } from '../../load/plan.ts';
import type { LoadFigures } from '../../types.ts';

export const FLOOD = 'conversations:flood';

export const FLOODS = ['refused upgrades', 'pings', 'pongs', 'big frames', 'after the close'] as const;
export type FloodName = (typeof FLOODS)[number];

export interface FloodPlan extends ModulePlan<FloodFigures> {
  readonly kind: typeof FLOOD;
  /** Of the chat, http:. */
  readonly url: string;
  readonly flood: FloodName;
  readonly sockets: number;
  /** The loopback address that it comes from. */
  readonly address: string;
  readonly seconds: number;
}

export interface FloodFigures extends LoadFigures {
  readonly connections: number;
  /** Handed to the kernel, which may not have delivered them all. */
  readonly bytes: number;
}
