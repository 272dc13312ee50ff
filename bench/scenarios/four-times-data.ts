import path from 'node:path';
import { type Layout, startLayout } from '../layout/layout.ts';
import type { MemorySamples } from '../layout/memory-samples.ts';
import { signInSeeded } from '../load/accounts.ts';
import { routesOf } from '../load/workload.ts';
import { quantile, round } from '../numbers.ts';
import type { BoxFigures } from '../types.ts';
import { type Asked, type AskedInTurn, askInTurn } from './in-turn.ts';
import { watchOthers } from './others-share.ts';
import type { OwnLayoutContext, OwnLayoutScenario, ProfileName } from './scenario.ts';

/** The first is what the others are held against. The short profile grows by four, too, but from a quarter. */
const SCALES: Record<ProfileName, readonly number[]> = { ci: [0.25, 1], full: [1, 4, 40] };
const RATIO_MAX = 1.2;
/** Below it a ratio says more about the machine's scheduler than about the data: each time counts as at least this. */
const FLOOR_MS = 5;
/** Of the rounds' p95s the least counts: what else the machine does only adds, and what the data cost is in every round. */
const ROUNDS = 5;
/** With more of the machine in other hands, two times that were taken one after the other cannot be held against each other. */
const OTHERS_SHARE_MAX = 0.1;
const BIGGEST = 'tardigrade.test';
const MB = 1024 * 1024;
/** How often each is asked per round. */
const TIMES = { time: 30, 'time per megabyte': 4 };

interface Measured {
  readonly scale: number;
  /** By step: the least of the rounds' p95s, in ms, or in ms per megabyte. */
  readonly p95: Readonly<Record<string, number>>;
  /** Why it proves nothing; empty when it may. */
  readonly faults: readonly string[];
  readonly wrong: readonly string[];
  readonly boxes: Readonly<Record<string, BoxFigures>>;
  readonly memory: MemorySamples;
}

/** The same requests, one at a time, against layouts that differ in nothing but how much data they hold. */
export const fourTimesData: OwnLayoutScenario = {
  name: 'four-times-data',
  promise: 'four-times-data',
  line: `with 4 times the data p95 of each list, dashboard and export, and the api's peak memory, stay within ${RATIO_MAX} of what they were (ci: from 0.25 to 1 times; full: from 1 to 4 and 40 times)`,

  async run(context) {
    const measured: Measured[] = [];
    for (const scale of SCALES[context.profile]) measured.push(await measure(context, scale));
    const [base, ...grown] = measured as [Measured, ...Measured[]];
    const wrong = measured.flatMap(({ wrong }) => wrong);
    const units = unitsOf(context);
    const ratios = grown.flatMap((one) => ratiosOf(base, one, units));
    const worst = (of: Ratio['of']) => ratios.filter((one) => one.of === of).sort((a, b) => b.ratio - a.ratio)[0];
    return {
      inconclusive: [...new Set(measured.flatMap(({ faults }) => faults))],
      conditions: [
        { says: `no wrong answer (${wrong.length}: ${wrong[0] ?? ''})`, holds: wrong.length === 0 },
        ...ratios.map(({ words, ratio }) => ({
          says: `${words}: ${round(ratio, 2)} times, at most ${RATIO_MAX}`,
          holds: ratio <= RATIO_MAX,
        })),
      ],
      figures: {
        worstRatio: round(worst('time')?.ratio ?? 0, 2),
        worstWhere: worst('time')?.words ?? '',
        memoryRatio: round(worst('memory')?.ratio ?? 0, 2),
        scales: measured.map(({ scale }) => `${scale}x`).join(', '),
        floorMs: FLOOR_MS,
        wrong: wrong.length,
        ...timesOf(measured, units),
      },
      boxes: grown.at(-1)?.boxes ?? base.boxes,
      memory: grown.at(-1)?.memory ?? base.memory,
      covers: routesOf(base.p95),
    };
  },
};

type Units = Readonly<Record<string, keyof typeof TIMES>>;

/** Every list, dashboard and export. A larger file takes longer, and must: what may not grow is the time per megabyte. */
function unitsOf({ benches }: Pick<OwnLayoutContext, 'benches'>): Units {
  return Object.assign({}, ...benches.map(({ growing }) => growing));
}

async function measure(context: OwnLayoutContext, scale: number): Promise<Measured> {
  const layout = await startLayout({
    kind: 'nano-each',
    seedScale: scale,
    folder: path.resolve(import.meta.dirname, '..', '..', '.tardigrade', 'bench', `scale-${scale}`),
    soft: context.soft,
  });
  try {
    return await ask(context, layout, scale);
  } finally {
    context.watch(undefined);
    await layout.stop();
  }
}

async function ask(context: OwnLayoutContext, layout: Layout, scale: number): Promise<Measured> {
  const url = layout.addresses.api;
  const accounts = (await signInSeeded(url)).filter(({ domain, role }) => domain === BIGGEST && role !== 'viewer');
  context.watch(layout, accounts[0]);
  const others = watchOthers(layout.boxes.values());
  const units = unitsOf(context);
  const times = Object.fromEntries(Object.entries(units).map(([step, unit]) => [step, TIMES[unit]]));
  const plan = { url, accounts, times, rounds: ROUNDS, seed: 23 };
  const { rounds, wrong }: AskedInTurn = await askInTurn(context.workload, plan);
  return {
    scale,
    p95: Object.fromEntries(
      Object.entries(rounds).map(([step, lists]) => [step, p95Of(lists, units[step] === 'time per megabyte')]),
    ),
    faults: [...layout.inconclusiveReasons(), ...busyFaults(scale, others())],
    wrong: [...layout.deaths(), ...wrong],
    boxes: Object.fromEntries([...layout.boxes].map(([name, box]) => [name, box.figures()])),
    memory: layout.memorySamples(),
  };
}

function busyFaults(scale: number, share: number): string[] {
  if (share <= OTHERS_SHARE_MAX) return [];
  const [used, most] = [share, OTHERS_SHARE_MAX].map((part) => Math.round(part * 100));
  return [`at ${scale}x something else took ${used} % of the machine, at most ${most} %`];
}

function p95Of(rounds: readonly (readonly Asked[])[], perMegabyte: boolean): number {
  const times = rounds
    .filter((asked) => asked.length > 0)
    .map((asked) => asked.map(({ ms, bytes }) => (perMegabyte ? ms / (bytes / MB) : ms)));
  return Math.min(...times.map((ms) => quantile(ms, 0.95)));
}

interface Ratio {
  readonly of: 'time' | 'memory';
  readonly words: string;
  readonly ratio: number;
}

function ratiosOf(base: Measured, grown: Measured, units: Units): Ratio[] {
  const times = Object.entries(grown.p95).map(([step, ms]): Ratio => {
    const before = base.p95[step] ?? 0;
    const unit = units[step];
    const floor = unit === 'time per megabyte' ? Number.MIN_VALUE : FLOOR_MS;
    return {
      of: 'time',
      words: `${step} at ${grown.scale}x: p95 ${shown(unit, ms)}, before ${shown(unit, before)}`,
      ratio: Math.max(ms, floor) / Math.max(before, floor),
    };
  });
  const [before, after] = [base, grown].map(({ boxes }) => boxes['api']?.neededPeakBytes ?? 0) as [number, number];
  const words = `peak memory of the api at ${grown.scale}x: ${round(after / MB)} MB, before ${round(before / MB)} MB`;
  return [...times, { of: 'memory', words, ratio: after / before }];
}

const shown = (unit: Units[string] | undefined, ms: number) =>
  `${round(ms)} ms${unit === 'time per megabyte' ? ' per MB' : ''}`;

/** All that was measured, for whoever wants to see more than the worst. */
function timesOf(measured: readonly Measured[], units: Units): Record<string, string> {
  const steps = Object.entries(units).map(([step, unit]) => [
    step,
    measured.map(({ scale, p95 }) => `${scale}x ${shown(unit, p95[step] ?? 0)}`).join(', '),
  ]);
  return Object.fromEntries(steps);
}
