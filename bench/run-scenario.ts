/** One scenario from its beginning to its result: under the live view, with what it used of each box. */
import type { Layout } from './layout/layout.ts';
import { lastSecond, samplesSince } from './layout/memory-samples.ts';
import { routesOf } from './load/workload.ts';
import type { LiveView } from './report/live.ts';
import type {
  Findings,
  OwnLayoutContext,
  OwnLayoutFindings,
  OwnLayoutScenario,
  ProfileName,
  Scenario,
  ScenarioContext,
} from './scenarios/scenario.ts';
import type { BoxFigures, ScenarioResult } from './types.ts';
import { type Watcher, watchScenario } from './watch/watcher.ts';

export interface RunOptions {
  readonly view: LiveView;
  readonly say: (text: string) => void;
}

/** In the layout that is there. */
export function runScenario(
  scenario: Scenario,
  context: Omit<ScenarioContext, 'onSample'>,
  options: RunOptions,
): Promise<ScenarioResult> {
  const { layout, accounts } = context;
  return watched(gatesIn(context.profile, scenario), options, async (watcher) => {
    const operator = accounts.find(({ isOperator }) => isOperator);
    watcher.show(layout, scenario.undisturbed ? 'nothing' : { account: operator });
    const before = boxesSince({}, layout);
    const begunAt = lastSecond(layout.memorySamples());
    const found = await settled(scenario.run(Object.assign(context, { onSample: watcher.onLoad })));
    return {
      ...found,
      inconclusive: [...layout.inconclusiveReasons(), ...(found.inconclusive ?? [])],
      boxes: boxesSince(before, layout),
      memory: samplesSince(begunAt, layout.memorySamples()),
    };
  });
}

/** One that starts its layouts itself. */
export function runOwnLayout(
  scenario: OwnLayoutScenario,
  context: Omit<OwnLayoutContext, 'onSample' | 'watch' | 'say'> & { onLayout(layout: Layout): void },
  options: RunOptions,
): Promise<ScenarioResult> {
  return watched(gatesIn(context.profile, scenario), options, async (watcher) => {
    const watch: OwnLayoutContext['watch'] = (layout, account) => {
      if (layout !== undefined) context.onLayout(layout);
      watcher.show(layout, { account });
    };
    const found = await settled(scenario.run({ ...context, watch, say: options.say, onSample: watcher.onLoad }));
    return { boxes: {}, memory: {}, ...found };
  });
}

function gatesIn<S extends Pick<Scenario, 'gates'>>(profile: ProfileName, scenario: S): S & { gates: boolean } {
  return { ...scenario, gates: scenario.gates === true || scenario.gates === profile };
}

/** A scenario that fails itself is not met, and the others still run. */
function settled<F extends Findings>(running: Promise<F>): Promise<F | Findings> {
  return running.catch((error): Findings => {
    const why = error instanceof Error ? error.message : String(error);
    return { conditions: [{ says: `the scenario itself runs to its end (${why})`, holds: false }], figures: {} };
  });
}

/** The first sign of trouble, if there is one, goes into the figures. */
async function watched(
  { name, promise, line, gates }: Pick<Scenario, 'name' | 'promise' | 'line'> & { readonly gates: boolean },
  { view, say }: RunOptions,
  run: (watcher: Watcher) => Promise<OwnLayoutFindings>,
): Promise<ScenarioResult> {
  say(`${name}: ${line}`);
  const from = performance.now();
  const watcher = watchScenario(name, view);
  const found = await run(watcher).finally(() => watcher.end());
  const firstSignOfTrouble = watcher.end();
  const { boxes, memory, loads = {} } = found;
  const { outcome, reasons } = judge(found);
  say(`${name}: ${outcome}${reasons.length === 0 ? '' : ` (${reasons.join('; ')})`}`);
  if (firstSignOfTrouble !== undefined) say(`${name}: first sign of trouble: ${firstSignOfTrouble}`);
  const covers = Object.values(loads).flatMap(({ byRoute }) => routesOf(byRoute));
  return {
    name,
    promise,
    line,
    outcome,
    pass: outcome === 'met',
    gates,
    reasons,
    figures: { ...found.figures, ...(firstSignOfTrouble === undefined ? {} : { firstSignOfTrouble }) },
    boxes,
    loads,
    memory,
    covers: [...new Set([...covers, ...(found.covers ?? [])])],
    seconds: Math.round((performance.now() - from) / 1000),
  };
}

export function judge(found: Findings): Pick<ScenarioResult, 'outcome' | 'reasons'> {
  const { conditions, inconclusive = [], hints = [], notRun } = found;
  if (notRun !== undefined) return { outcome: 'not run', reasons: [notRun] };
  const unmet = conditions.filter(({ holds }) => !holds).map(({ says }) => `not so: ${says}`);
  return {
    outcome: inconclusive.length > 0 ? 'inconclusive' : unmet.length > 0 ? 'not met' : 'met',
    reasons: [...inconclusive, ...unmet, ...hints],
  };
}

/** What the scenario itself used of each box. Peaks are those since the box was made: memory that was taken once counts. */
function boxesSince(before: ScenarioResult['boxes'], { boxes }: Layout): ScenarioResult['boxes'] {
  const used = [...boxes].map(([name, box]): [string, BoxFigures] => {
    const now = box.figures();
    const then = before[name];
    if (then === undefined) return [name, now];
    const cpuSeconds = now.cpuSeconds - then.cpuSeconds;
    const throttledSeconds = now.throttledSeconds - then.throttledSeconds;
    return [name, { ...now, cpuSeconds, throttledSeconds, oomKills: now.oomKills - then.oomKills }];
  });
  return Object.fromEntries(used);
}
