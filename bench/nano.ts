/**
 * `npm run bench:nano [-- --profile=ci|full] [--only=a,b] [--one-nano] [--soft]`: the product in boxes that the kernel
 * enforces, under load, scenario by scenario. Writes bench/results/<run>.json and .html; exit code 1 when the gate says no.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import path from 'node:path';
import { uncoveredRoutes } from './coverage.ts';
import { gateFaults } from './gate.ts';
import { type Layout, startLayout } from './layout/layout.ts';
import { lastSecond, samplesSince } from './layout/memory-samples.ts';
import { signInSeeded } from './load/accounts.ts';
import { calibrate } from './load/calibration.ts';
import { PROMISES } from './promises.ts';
import { createLiveView } from './report/live.ts';
import { resultPage } from './report/page.ts';
import { writeResult } from './report/result-file.ts';
import { resultTable } from './report/table.ts';
import { baseline } from './scenarios/baseline.ts';
import { chaos } from './scenarios/chaos.ts';
import { chatOrder } from './scenarios/chat-order.ts';
import { counters } from './scenarios/counters.ts';
import { creditsGone } from './scenarios/credits-gone.ts';
import { denMinute } from './scenarios/den-minute.ts';
import { fourTimesData } from './scenarios/four-times-data.ts';
import { monday } from './scenarios/monday.ts';
import { oneNano } from './scenarios/one-nano.ts';
import { overload } from './scenarios/overload.ts';
import { ramp } from './scenarios/ramp.ts';
import type {
  ApartVerdict,
  ProfileName,
  Scenario,
  ScenarioApart,
  ScenarioContext,
  Verdict,
} from './scenarios/scenario.ts';
import { soak } from './scenarios/soak.ts';
import { storm } from './scenarios/storm.ts';
import type { BoxFigures, RunResult, ScenarioResult } from './types.ts';
import { type Watcher, watchScenario } from './watch/watcher.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const SEED_SCALE = 1;

/** In this order: the knee is known before the overload, and what kills processes comes last. */
const EACH: readonly Scenario[] = [
  baseline,
  counters,
  ramp,
  denMinute,
  overload,
  monday,
  soak,
  creditsGone,
  chatOrder,
  storm,
  chaos,
];
/** First, because their layouts must be the only ones, and what they load counts for the coverage. */
const APART: readonly ScenarioApart[] = [fourTimesData];
const ONE: readonly Scenario[] = [oneNano];

const options = readOptions(process.argv.slice(2));
const begun = performance.now();
const view = createLiveView(process.stdout);
const startedAt = new Date().toISOString();

say(`calibrating the generator`);
const calibration = await calibrate();
say(`the generator holds ${calibration.nullServerPerSecond} requests a second against a null server`);

const scenarios: ScenarioResult[] = [];
let uncovered: string[] = [];
let enforcedBy: RunResult['enforcedBy'] = 'none';
if (!options.oneNano) {
  for (const scenario of APART) if (isWanted(scenario)) scenarios.push(await apart(scenario));
  await inLayout('nano-each', EACH, async (layout) => {
    if (options.only === undefined)
      uncovered = await uncoveredRoutes(
        layout.addresses.api,
        scenarios.flatMap(({ covers }) => covers),
      );
  });
}
await inLayout('one-nano', ONE);

const run: RunResult = {
  scenarios,
  startedAt,
  profile: options.profile,
  layout: options.oneNano ? 'one-nano' : 'nano-each',
  commit: git('rev-parse', '--short', 'HEAD'),
  dirty: git('status', '--porcelain', '--', '.', ':!bench/results') !== '',
  versions: { node: process.version },
  machine: { cpu: cpus()[0]?.model ?? '', cpus: cpus().length, memoryBytes: totalmem(), kernel: release() },
  enforcedBy,
  calibration,
  seed: { scale: SEED_SCALE },
  seconds: Math.round((performance.now() - begun) / 1000),
};
const file = writeResult(path.join(ROOT, 'bench', 'results'), run);
const page = file.replace(/\.json$/, '.html');
writeFileSync(page, resultPage(run));

console.log(`\n${resultTable(run, { colour: process.stdout.isTTY })}`);
console.log('\npromises, and where each is proved:');
for (const [promise, proof] of Object.entries(PROMISES)) console.log(`  ${promise.padEnd(20)} ${proof}`);
const faults = gateFaults(run, uncovered, options.soft);
console.log(`\n${path.relative(ROOT, file)}\n${path.relative(ROOT, page)}\n${run.seconds} s`);
console.log(
  faults.length === 0 ? 'The gate: passed.' : `The gate: FAILED.\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
);
process.exit(faults.length === 0 ? 0 : 1);

async function inLayout(
  kind: Layout['kind'],
  all: readonly Scenario[],
  afterwards?: (layout: Layout) => Promise<void>,
): Promise<void> {
  const wanted = all.filter(isWanted);
  if (wanted.length === 0) return;
  const folder = path.join(ROOT, '.tardigrade', 'bench', kind);
  const layout = await startLayout({
    kind,
    seedScale: SEED_SCALE,
    folder,
    soft: options.soft,
    onProgress: (step, ms) => say(`${kind}: ${step}, ${(ms / 1000).toFixed(1)} s`),
  });
  try {
    enforcedBy = layout.enforcedBy;
    const histories = path.join(ROOT, '.tardigrade', 'bench', 'history');
    rmSync(histories, { recursive: true, force: true });
    mkdirSync(histories, { recursive: true });
    const context: Omit<ScenarioContext, 'historyFile' | 'onSample'> = {
      layout,
      accounts: await signInSeeded(layout.addresses.api),
      calibration,
      profile: options.profile,
      writeCounters: options.writeCounters,
      knee: undefined,
    };
    for (const scenario of wanted) {
      const historyFile = path.join(histories, `${scenario.name}.jsonl`);
      scenarios.push(await within(scenario, Object.assign(context, { historyFile })));
    }
    await afterwards?.(layout);
  } finally {
    await layout.stop();
  }
}

function isWanted({ name }: Pick<Scenario, 'name'>): boolean {
  return options.only?.includes(name) ?? true;
}

function apart(scenario: ScenarioApart): Promise<ScenarioResult> {
  return watched(scenario, async (watcher) => {
    const watch: Parameters<ScenarioApart['run']>[0]['watch'] = (layout, account) => {
      if (layout !== undefined) enforcedBy = layout.enforcedBy;
      watcher.look(layout, { account });
    };
    const { profile, soft } = options;
    const verdict = await settled(scenario.run({ profile, soft, watch, onSample: watcher.heard }));
    return { boxes: {}, memory: {}, ...verdict };
  });
}

function within(scenario: Scenario, context: Omit<ScenarioContext, 'onSample'>): Promise<ScenarioResult> {
  const { layout, accounts } = context;
  return watched(scenario, async (watcher) => {
    const admin = accounts.find(({ role }) => role !== 'viewer');
    watcher.look(layout, scenario.undisturbed ? 'nothing' : { account: admin });
    const before = boxesSince({}, layout);
    const begunAt = lastSecond(layout.memorySamples());
    const verdict = await settled(scenario.run(Object.assign(context, { onSample: watcher.heard })));
    const faults = layout.voidReasons();
    return {
      ...verdict,
      void: verdict.void === true || faults.length > 0,
      reasons: [...faults, ...verdict.reasons],
      boxes: boxesSince(before, layout),
      memory: samplesSince(begunAt, layout.memorySamples()),
    };
  });
}

/** A scenario that fails itself is not met, and the others still run. */
function settled<V extends Verdict>(running: Promise<V>): Promise<V | Verdict> {
  return running.catch((error) => {
    const told = error instanceof Error ? error.message : String(error);
    return { met: false, reasons: [`the scenario itself failed: ${told}`], figures: {}, covers: [] };
  });
}

/** Under the eyes of the live view; the first sign of trouble, if there is one, goes into the figures. */
async function watched(
  { name, promise, line }: Pick<Scenario, 'name' | 'promise' | 'line'>,
  run: (watcher: Watcher) => Promise<ApartVerdict>,
): Promise<ScenarioResult> {
  say(`${name}: ${line}`);
  const from = performance.now();
  const watcher = watchScenario(name, view);
  const verdict = await run(watcher).finally(() => watcher.end());
  const firstSignOfTrouble = watcher.end();
  const { reasons, boxes, memory, loads } = verdict;
  const outcome = verdict.void === true ? 'void' : verdict.met ? 'met' : 'not met';
  say(`${name}: ${outcome}${reasons.length === 0 ? '' : ` (${reasons.join('; ')})`}`);
  if (firstSignOfTrouble !== undefined) say(`${name}: first sign of trouble: ${firstSignOfTrouble}`);
  return {
    name,
    promise,
    line,
    outcome,
    pass: outcome === 'met',
    reasons,
    figures: { ...verdict.figures, ...(firstSignOfTrouble === undefined ? {} : { firstSignOfTrouble }) },
    boxes,
    ...(loads === undefined ? {} : { loads }),
    memory,
    covers: [...new Set(verdict.covers)],
    seconds: Math.round((performance.now() - from) / 1000),
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

function readOptions(args: string[]) {
  const value = (name: string) => args.find((argument) => argument.startsWith(`--${name}=`))?.split('=')[1];
  const profile = value('profile') ?? 'ci';
  const known = [...APART, ...EACH, ...ONE].map(({ name }) => name);
  const only = value('only')?.split(',');
  const unknown = only?.filter((name) => !known.includes(name)) ?? [];
  const strange = args.filter((argument) => !/^--(profile=|only=|one-nano$|soft$|write-counters$)/.test(argument));
  if ((profile !== 'ci' && profile !== 'full') || unknown.length > 0 || strange.length > 0) {
    console.error(
      `npm run bench:nano -- [--profile=ci|full] [--only=${known.join(',')}] [--one-nano] [--soft] [--write-counters]`,
    );
    process.exit(64);
  }
  return {
    profile: profile as ProfileName,
    only,
    oneNano: args.includes('--one-nano'),
    soft: args.includes('--soft'),
    writeCounters: args.includes('--write-counters'),
  };
}

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

function say(text: string): void {
  view.say(`${String(Math.round((performance.now() - begun) / 1000)).padStart(4)} s  ${text}`);
}
