/**
 * `npm run bench:nano [-- --profile=ci|full] [--only=a,b] [--parts=a,b] [--one-nano] [--soft]`: the product in boxes that the kernel
 * enforces, under load, scenario by scenario. Writes bench/results/<run>.json and .html; exit code 1 when the gate says no.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { argumentsOrExit, namesIn } from './arguments.ts';
import { uncoveredRoutes } from './coverage.ts';
import { gateFaults } from './gate.ts';
import { type Layout, startLayout } from './layout/layout.ts';
import { signInSeeded } from './load/accounts.ts';
import { calibrate } from './load/calibration.ts';
import { createWorkload } from './load/workload.ts';
import { loadBenches } from './modules.ts';
import { promisesOf } from './promises.ts';
import { createLiveView } from './report/live.ts';
import { resultPage } from './report/page.ts';
import { writeResult } from './report/result-file.ts';
import { resultTable } from './report/table.ts';
import { runOwnLayout, runScenario } from './run-scenario.ts';
import { allScenarios } from './scenarios/all.ts';
import type { ProfileName, Scenario, ScenarioContext } from './scenarios/scenario.ts';
import { stopOnSignal } from './stop-on-signal.ts';
import type { RunResult, ScenarioResult } from './types.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const SEED_SCALE = 1;

const benches = await loadBenches();
const workload = createWorkload(benches);
const all = await allScenarios(benches);
const names = [...all.ownLayout, ...all.nanoEach, ...all.oneNano].map(({ name }) => name);
const options = argumentsOrExit(
  `npm run bench:nano -- [--profile=ci|full] [--only=${names.join(',')}] [--parts=of,a,scenario] [--one-nano] [--soft] [--write-counters]`,
  readOptions,
);
stopOnSignal();
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
  const { profile, soft, parts } = options;
  const onLayout = (layout: Layout) => {
    enforcedBy = layout.enforcedBy;
  };
  for (const scenario of all.ownLayout.filter(isWanted))
    scenarios.push(await runOwnLayout(scenario, { profile, soft, parts, benches, workload, onLayout }, { view, say }));
  await inLayout('nano-each', all.nanoEach, async (layout) => {
    const covers = scenarios.flatMap((scenario) => scenario.covers);
    if (options.only === undefined) uncovered = await uncoveredRoutes(layout.addresses.api, benches, covers);
  });
}
await inLayout('one-nano', all.oneNano);

const run: RunResult = {
  scenarios,
  faults: gateFaults({ scenarios, enforcedBy }, uncovered, options.soft),
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
for (const [promise, proof] of Object.entries(promisesOf(benches))) console.log(`  ${promise.padEnd(20)} ${proof}`);
const { faults = [] } = run;
console.log(`\n${path.relative(ROOT, file)}\n${path.relative(ROOT, page)}\n${run.seconds} s`);
console.log(
  faults.length === 0 ? 'The gate: passed.' : `The gate: FAILED.\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
);
process.exit(faults.length === 0 ? 0 : 1);

async function inLayout(
  kind: Layout['kind'],
  candidates: readonly Scenario[],
  afterwards?: (layout: Layout) => Promise<void>,
): Promise<void> {
  const wanted = candidates.filter(isWanted);
  if (wanted.length === 0) return;
  const layout = await startLayout({
    kind,
    seedScale: SEED_SCALE,
    folder: path.join(ROOT, '.tardigrade', 'bench', kind),
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
      benches,
      workload,
      calibration,
      profile: options.profile,
      parts: options.parts,
      writeCounters: options.writeCounters,
      knee: undefined,
    };
    for (const scenario of wanted) {
      const historyFile = path.join(histories, `${scenario.name}.jsonl`);
      // The same object for all of them: the ramp leaves the knee in it.
      scenarios.push(await runScenario(scenario, Object.assign(context, { historyFile }), { view, say }));
    }
    await afterwards?.(layout);
  } finally {
    await layout.stop();
  }
}

function isWanted({ name, profile = options.profile }: Pick<Scenario, 'name' | 'profile'>): boolean {
  return options.only?.includes(name) ?? profile === options.profile;
}

function readOptions(args: string[]) {
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args,
    options: {
      profile: { type: 'string', default: 'ci' },
      only: { type: 'string' },
      parts: { type: 'string' },
      'one-nano': flag,
      soft: flag,
      'write-counters': flag,
    },
  });
  const { profile, soft } = values;
  if (profile !== 'ci' && profile !== 'full') throw new Error(`There is no profile ${profile}.`);
  return {
    profile: profile as ProfileName,
    only: namesIn(values.only, names),
    parts: values.parts?.split(','),
    oneNano: values['one-nano'],
    soft,
    writeCounters: values['write-counters'],
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
