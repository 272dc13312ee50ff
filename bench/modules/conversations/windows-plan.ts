/** What the generator of windows.ts is told to do: plain data, because it crosses to another process. */
import type { ModulePlan } from '../../load/plan.ts';
import type { LoadFigures } from '../../types.ts';

export const WINDOWS = 'conversations:windows';

/** Under which what the other window shows is counted. */
export const OTHER_WINDOW = 'socket message in the other window';

export interface WindowsPlan extends ModulePlan<LoadFigures> {
  readonly kind: typeof WINDOWS;
  /** Of two chat processes, http: or ws:. Each person has a window on each, and answers in the first. */
  readonly urls: readonly [string, string];
  /** Check-in tokens: one person each. */
  readonly tokens: readonly string[];
  /** Windows are opened over this time. */
  readonly connectSeconds: number;
  /** Between a question and its answer. */
  readonly thinkMs: { readonly min: number; readonly max: number };
  /** After connecting. */
  readonly seconds: number;
  readonly seed: number;
}
