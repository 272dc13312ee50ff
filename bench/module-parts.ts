/**
 * What a module brings to the bench, but for its scenarios, which are given all of this: see module-bench.ts.
 */

import type { PlantedAlert } from './alerts/planted-alert.ts';
import type { Counters } from './counters/budgets.ts';
import type { CountContext } from './counters/count-context.ts';
import type { Target } from './counters/count-requests.ts';
import type { ListPage } from './list-page/list-page.ts';
import type { Alongside } from './load/alongside.ts';
import type { Checks } from './load/checks.ts';
import type { HistoryQueries } from './load/history.ts';
import type { Generators, Mix } from './load/plan.ts';
import type { Steps } from './load/step.ts';
import type { MailRun } from './mail/mail-run.ts';
import type { PlantedFault } from './planted-faults/planted-fault.ts';

export interface ModuleParts {
  /** Its requests, by name: the route, and in brackets which use of it. */
  readonly steps?: Steps;
  /** The part of its steps in an ordinary day, by weight. */
  readonly officeDay?: Mix;
  /** The heavy and the rare: each comes that many times in every cycle of the rare mix. */
  readonly rare?: Mix;
  /** Checks of answers that only it needs, by name. */
  readonly checks?: Checks;
  /** Its figures of GET /api/v1/summary, and whether a value may be one. */
  readonly figures?: Readonly<Record<string, (value: unknown) => boolean>>;
  /** Loads that are not HTTP, by the kind of their plan. */
  readonly generators?: Generators;
  /** Kinds of acknowledged writes, each with the queries that find what the database lost or distorted. */
  readonly history?: HistoryQueries;
  /** What happens beside the day, for as long as it lasts. */
  readonly alongside?: () => Promise<{ readonly alongside: readonly Alongside[] }>;
  /** Steps (lists, dashboards, exports) that must not slow down with the data; a file may take its time per megabyte. */
  readonly growing?: Readonly<Record<string, 'time' | 'time per megabyte'>>;
  /** A list whose throughput is measured with a closed loop. */
  readonly capacity?: { readonly route: string; readonly path: string };
  /** What is counted: requests, and anything else of which the code decides the cost. */
  readonly counted?: () => Promise<CountedFace>;
  /** Messages of its WebSocket, in the words of its loads, for the coverage check. */
  readonly socketMessages?: readonly string[];
  /** What it promises, and where each promise is proved. */
  readonly promises?: Readonly<Record<string, string>>;
  /** A fault for each of its alerts (scenario alerts). */
  readonly alertFaults?: () => Promise<{ readonly alertFaults: readonly PlantedAlert[] }>;
  /** Faults that the gate must notice (npm run bench:gate-test). */
  readonly plantedFaults?: () => Promise<{ readonly plantedFaults: readonly PlantedFault[] }>;
  /** The page that npm run bench:list-page compares with bare fastify and pg. */
  readonly listPage?: () => Promise<{ readonly listPage: ListPage }>;
  /** The mails that npm run bench:mail compares with bare nodemailer. */
  readonly mailRun?: () => Promise<{ readonly mailRun: MailRun }>;
}

export interface LoadedParts extends ModuleParts {
  readonly name: string;
  /** Where its budgets are (counters.json). */
  readonly folder: string;
}

export interface CountedFace {
  /** Each request by its name. What they need is written first, so that lists have rows of every kind. */
  requests?(context: CountContext): Promise<Readonly<Record<string, Target>>>;
  /** Everything else, by a name that ends in its unit. */
  others?(context: CountContext): Promise<Counters>;
}
