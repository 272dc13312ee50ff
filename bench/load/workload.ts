/**
 * Everything that can be asked, composed of the modules' parts: their steps, their mixes, the checks of their answers.
 * A mix gives steps a weight. One arrival is one request. What needs an earlier one (the second page) uses what an
 * earlier answer left in the client's memory; where there is nothing yet, the request that leaves it is asked instead.
 */
import type { ModuleParts } from '../module-parts.ts';
import { type Checks, createSummaryCheck, GENERAL_CHECKS } from './checks.ts';
import type { HistoryQueries } from './history.ts';
import type { Generators, Mix } from './plan.ts';
import type { Steps } from './step.ts';

export interface Workload {
  readonly steps: Steps;
  /** What people do all day: look at the dashboard, page through lists, now and then write something. */
  readonly officeDay: Mix;
  /** The rare and the heavy, at a low rate beside the day: password hashes, exports. */
  readonly rare: Mix;
  readonly checks: Checks;
  readonly generators: Generators;
  readonly history: HistoryQueries;
}

/** @throws when two modules give the same name to different things, or a mix has a step that does not exist */
export function createWorkload(benches: readonly ModuleParts[]): Workload {
  const steps = merge(
    'step',
    benches.map((bench) => bench.steps),
  );
  const officeDay = merge(
    'step of the day',
    benches.map((bench) => bench.officeDay),
  );
  const rare = merge(
    'rare step',
    benches.map((bench) => bench.rare),
  );
  const figures = merge(
    'figure',
    benches.map((bench) => bench.figures),
  );
  const strange = Object.keys({ ...officeDay, ...rare }).filter((name) => steps[name] === undefined);
  if (strange.length > 0) throw new Error(`A mix has steps that do not exist: ${strange.join(', ')}`);
  return {
    steps,
    officeDay,
    rare,
    checks: merge('check', [
      GENERAL_CHECKS,
      { summary: createSummaryCheck(figures) },
      ...benches.map((bench) => bench.checks),
    ]),
    generators: merge(
      'kind of plan',
      benches.map((bench) => bench.generators),
    ),
    history: merge(
      'kind of write',
      benches.map((bench) => bench.history),
    ),
  };
}

function merge<T>(what: string, parts: readonly (Readonly<Record<string, T>> | undefined)[]): Record<string, T> {
  const all: Record<string, T> = {};
  for (const [name, value] of parts.flatMap((part) => Object.entries(part ?? {}))) {
    if (all[name] !== undefined) throw new Error(`Two modules have a ${what} called ${name}.`);
    all[name] = value;
  }
  return all;
}

/** The routes behind the keys of LoadFigures.byRoute, for the coverage check. */
export function routesOf(byRoute: Readonly<Record<string, unknown>>): string[] {
  return [...new Set(Object.keys(byRoute).map((step) => step.replace(/ \([^)]*\)$/, '')))].sort();
}
