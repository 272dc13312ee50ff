/** A fault that one alert must notice. The platform's are listed in faults.ts, a module's in its bench (`alertFaults`). */

import type { Layout } from '../layout/layout.ts';
import type { Account } from '../load/plan.ts';
import type { Prometheus } from './prometheus.ts';

export interface PlantedAlert {
  readonly rule: string;
  readonly fault: string;
  /** Those of one group are planted together; groups follow one another. */
  readonly group: number;
  /** It goes on while the others of its group have not fired; otherwise it ends when its own alert has. */
  readonly lasts?: true;
  /** How long its condition must last, where that is longer than the others take: it is planted only when it is named. */
  readonly minutes?: number;
  /** Where the mailer tells it: in a mail, because the table of alerts is what has failed; or not at all. */
  readonly toldBy?: 'mail' | 'Prometheus only';
  /** It was there before anything else, so the alert may have fired already. */
  readonly fromTheStart?: true;
  /** Returns how to end it. */
  plant(context: FaultContext): Promise<() => unknown>;
}

export interface FaultContext {
  readonly layout: Layout;
  /** The folder that DISK_PATH names: a small file system of its own. */
  readonly disk: string;
  /** Users of the seed, signed in. */
  readonly accounts: readonly Account[];
  readonly prometheus: Prometheus | undefined;
}

export const NOTHING = (): undefined => undefined;
