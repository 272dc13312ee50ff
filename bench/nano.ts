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
import { signInSeeded } from './load/accounts.ts';
import { calibrate } from './load/calibration.ts';
import type { LoadSample } from './load/plan.ts';
import { PROMISES } from './promises.ts';
import { resultPage } from './report/page.ts';
import { writeResult } from './report/result-file.ts';
import { resultTable } from './report/table.ts';
import { baseline } from './scenarios/baseline.ts';
import { chaos } from './scenarios/chaos.ts';
import { creditsGone } from './scenarios/credits-gone.ts';
import { denMinute } from './scenarios/den-minute.ts';
import { monday } from './scenarios/monday.ts';
import { oneNano } from './scenarios/one-nano.ts';
import { overload } from './scenarios/overload.ts';
import { ramp } from './scenarios/ramp.ts';
import type { ProfileName, Scenario, ScenarioContext, Verdict } from './scenarios/scenario.ts';
import { soak } from './scenarios/soak.ts';
import { storm } from './scenarios/storm.ts';
import type { RunResult, ScenarioResult } from './types.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const SEED_SCALE = 1;

/** In this order: the knee is known before the overload, and what kills processes comes last. */
const EACH: readonly Scenario[] = [baseline, ramp, denMinute, overload, monday, soak, creditsGone, storm, chaos];
const ONE: readonly Scenario[] = [oneNano];

const options = readOptions(process.argv.slice(2));
const begun = performance.now();
const startedAt = new Date().toISOString();

say(`calibrating the generator`);
const calibration = await calibrate();
say(`the generator holds ${calibration.nullServerPerSecond} requests a second against a null server`);

const scenarios: ScenarioResult[] = [];
let uncovered: string[] = [];
let enforcedBy: RunResult['enforcedBy'] = 'none';
if (!options.oneNano) {
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
  dirty: git('status', '--porcelain') !== '',
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
  const wanted = all.filter(({ name }) => options.only?.includes(name) ?? true);
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
    const context: Omit<ScenarioContext, 'historyFile'> = {
      layout,
      accounts: await signInSeeded(layout.addresses.api),
      calibration,
      profile: options.profile,
      knee: undefined,
      onSample: liveLine,
    };
    for (const scenario of wanted) {
      const own: ScenarioContext = Object.assign(context, {
        historyFile: path.join(histories, `${scenario.name}.jsonl`),
      });
      scenarios.push(await runScenario(scenario, own));
    }
    await afterwards?.(layout);
  } finally {
    await layout.stop();
  }
}

async function runScenario(scenario: Scenario, context: ScenarioContext): Promise<ScenarioResult> {
  say(`${scenario.name}: ${scenario.line}`);
  const from = performance.now();
  const verdict = await scenario.run(context).catch((error): Verdict => {
    const told = error instanceof Error ? error.message : String(error);
    return { met: false, reasons: [`the scenario itself failed: ${told}`], figures: {}, covers: [] };
  });
  const faults = context.layout.voidReasons();
  const isVoid = verdict.void === true || faults.length > 0;
  const outcome = isVoid ? 'void' : verdict.met ? 'met' : 'not met';
  const reasons = [...faults, ...verdict.reasons];
  say(`${scenario.name}: ${outcome}${reasons.length === 0 ? '' : ` (${reasons.join('; ')})`}`);
  return {
    name: scenario.name,
    promise: scenario.promise,
    line: scenario.line,
    outcome,
    pass: outcome === 'met',
    reasons,
    figures: verdict.figures,
    boxes: Object.fromEntries([...context.layout.boxes].map(([name, box]) => [name, box.figures()])),
    ...(verdict.loads === undefined ? {} : { loads: verdict.loads }),
    memory: context.layout.memorySamples(),
    covers: [...new Set(verdict.covers)],
    seconds: Math.round((performance.now() - from) / 1000),
  };
}

function liveLine({ dueSeconds, atSeconds, perSecond, p99Ms, inFlight, failed, wrong }: LoadSample): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(
    `\r  ${Math.round(atSeconds)}/${Math.round(dueSeconds)} s, ${perSecond}/s, p99 ${Math.round(p99Ms)} ms, ${inFlight} in flight, ${failed} failed, ${wrong} wrong   \r`,
  );
}

function readOptions(args: string[]) {
  const value = (name: string) => args.find((argument) => argument.startsWith(`--${name}=`))?.split('=')[1];
  const profile = value('profile') ?? 'ci';
  const known = [...EACH, ...ONE].map(({ name }) => name);
  const only = value('only')?.split(',');
  const unknown = only?.filter((name) => !known.includes(name)) ?? [];
  const strange = args.filter((argument) => !/^--(profile=|only=|one-nano$|soft$)/.test(argument));
  if ((profile !== 'ci' && profile !== 'full') || unknown.length > 0 || strange.length > 0) {
    console.error(`npm run bench:nano -- [--profile=ci|full] [--only=${known.join(',')}] [--one-nano] [--soft]`);
    process.exit(64);
  }
  return { profile: profile as ProfileName, only, oneNano: args.includes('--one-nano'), soft: args.includes('--soft') };
}

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

function say(text: string): void {
  console.log(`${String(Math.round((performance.now() - begun) / 1000)).padStart(4)} s  ${text}`);
}
