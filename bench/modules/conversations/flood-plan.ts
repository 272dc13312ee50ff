/** What the generator of flood.ts is told to do: plain data, because it crosses to another process. */
import type { ModulePlan } from '../../load/plan.ts';
import type { LoadFigures } from '../../types.ts';

export const FLOOD = 'conversations:flood';
/** The event that says that it is in full swing. */
export const FLOODING = 'flooding';

/** Of strangers, who have no link. */
export const ANONYMOUS_FLOODS = ['refused upgrades', 'refused tickets'] as const;
/** Of sockets that were let in, each with a link of its own. */
export const ADMITTED_FLOODS = ['pings', 'pongs', 'big frames', 'after the close'] as const;
export const FLOODS = [...ANONYMOUS_FLOODS, ...ADMITTED_FLOODS] as const;

export type AdmittedFloodName = (typeof ADMITTED_FLOODS)[number];
export type FloodName = (typeof FLOODS)[number];

export function isAdmitted(flood: FloodName): flood is AdmittedFloodName {
  return (ADMITTED_FLOODS as readonly string[]).includes(flood);
}

export interface FloodPlan extends ModulePlan<FloodFigures> {
  readonly kind: typeof FLOOD;
  /** Of the chat, http:. */
  readonly url: string;
  readonly flood: FloodName;
  readonly sockets: number;
  /** Check-in tokens, one for each socket; none for strangers. */
  readonly tokens: readonly string[];
  /** The loopback address that it comes from. */
  readonly address: string;
  readonly seconds: number;
}

export interface FloodFigures extends LoadFigures {
  /** Upgrades that were asked for; of `refused tickets`: tickets. */
  readonly connections: number;
  /** Upgrades that were granted. */
  readonly admitted: number;
  /** Handed to the kernel, which may not have delivered them all. */
  readonly bytes: number;
}
