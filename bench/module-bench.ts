/**
 * What a module brings to the bench: `bench/modules/<name>/bench.ts` exports it as `bench`. Everything is optional, and
 * a module that brings only steps and their place in the day is measured by every general scenario.
 * The generator's process loads this file as well: what only the bench itself needs is imported lazily.
 */
import type { LoadedParts, ModuleParts } from './module-parts.ts';
import type { OwnLayoutScenario, Scenario } from './scenarios/scenario.ts';

export interface ModuleBench extends ModuleParts {
  readonly scenarios?: () => Promise<ScenariosFace>;
}

export interface LoadedBench extends LoadedParts, ModuleBench {}

export interface ScenariosFace {
  /** In the layout that all scenarios share. */
  readonly scenarios?: readonly Scenario[];
  /** Those that start layouts of their own. */
  readonly ownLayout?: readonly OwnLayoutScenario[];
}
