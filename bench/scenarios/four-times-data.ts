import path from 'node:path';
import { type Layout, startLayout } from '../layout/layout.ts';
import type { MemorySamples } from '../layout/memory-samples.ts';
import { signInSeeded } from '../load/accounts.ts';
import { routesOf } from '../load/mixes.ts';
import type { BoxFigures } from '../types.ts';
import { type Asked, type AskedInTurn, askInTurn } from './in-turn.ts';
import { watchOthers } from './others-share.ts';
import { type ApartContext, type ProfileName, round, type ScenarioApart, unmet } from './scenario.ts';

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

/** Every list, dashboard and export, with how often it is asked per round. */
const STEPS: Readonly<Record<string, number>> = {
  'GET /api/summary': 30,
  'GET /api/mood': 30,
  'GET /api/teams': 30,
  'GET /api/employees': 30,
  'GET /api/employees (next page)': 30,
  'GET /api/employees (search)': 30,
  'GET /api/employees (team)': 30,
  'GET /api/campaigns': 30,
  'GET /api/campaigns/{id}': 30,
  'GET /api/campaigns/{id}/reach-outs': 30,
  'GET /api/conversations': 30,
  'GET /api/conversations (next page)': 30,
  'GET /api/conversations/{id}': 30,
  'GET /api/imports': 30,
  'GET /api/exports/answers.csv': 4,
};

/** A file of four times as many rows takes longer, and must: what may not grow is the time that each megabyte takes. */
const PER_MEGABYTE = new Set(['GET /api/exports/answers.csv']);

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
export const fourTimesData: ScenarioApart = {
  name: 'four-times-data',
  promise: 'four-times-data',
  line: `with 4 times the data p95 of each list, dashboard and export, and the api's peak memory, stay within ${RATIO_MAX} of what they were (ci: from 0.25 to 1 times; full: from 1 to 4 and 40 times)`,

  async run(context) {
    const measured: Measured[] = [];
    for (const scale of SCALES[context.profile]) measured.push(await measure(context, scale));
    const [base, ...grown] = measured as [Measured, ...Measured[]];
    const wrong = measured.flatMap(({ wrong }) => wrong);
    const faults = [...new Set(measured.flatMap(({ faults }) => faults))];
    const ratios = grown.flatMap((one) => ratiosOf(base, one));
    const over = ratios.filter(({ ratio }) => ratio > RATIO_MAX);
    const worst = (of: Ratio['of']) => ratios.filter((one) => one.of === of).sort((a, b) => b.ratio - a.ratio)[0];
    return {
      met: wrong.length + over.length === 0,
      void: faults.length > 0,
      reasons: [
        ...faults,
        ...unmet({ [`no wrong answer (${wrong.length}: ${wrong[0] ?? ''})`]: wrong.length === 0 }),
        ...over.map(({ words, ratio }) => `${words}: ${round(ratio, 2)} times, at most ${RATIO_MAX}`),
      ],
      figures: {
        worstRatio: round(worst('time')?.ratio ?? 0, 2),
        worstWhere: worst('time')?.words ?? '',
        memoryRatio: round(worst('memory')?.ratio ?? 0, 2),
        scales: measured.map(({ scale }) => `${scale}x`).join(', '),
        floorMs: FLOOR_MS,
        wrong: wrong.length,
        ...timesOf(measured),
      },
      boxes: grown.at(-1)?.boxes ?? base.boxes,
      memory: grown.at(-1)?.memory ?? base.memory,
      covers: routesOf(base.p95),
    };
  },
};

async function measure({ soft, watch }: ApartContext, scale: number): Promise<Measured> {
  const layout = await startLayout({
    kind: 'nano-each',
    seedScale: scale,
    folder: path.resolve(import.meta.dirname, '..', '..', '.tardigrade', 'bench', `scale-${scale}`),
    soft,
  });
  try {
    return await ask(layout, scale, watch);
  } finally {
    watch(undefined);
    await layout.stop();
  }
}

async function ask(layout: Layout, scale: number, watch: ApartContext['watch']): Promise<Measured> {
  const url = layout.addresses.api;
  const accounts = (await signInSeeded(url)).filter(({ domain, role }) => domain === BIGGEST && role !== 'viewer');
  watch(layout, accounts[0]);
  const others = watchOthers(layout.boxes.values());
  const { rounds, wrong }: AskedInTurn = await askInTurn({ url, accounts, steps: STEPS, rounds: ROUNDS, seed: 23 });
  return {
    scale,
    p95: Object.fromEntries(
      Object.entries(rounds).map(([step, lists]) => [step, p95Of(lists, PER_MEGABYTE.has(step))]),
    ),
    faults: [...layout.voidReasons(), ...busyFaults(scale, others())],
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
  const p95s = rounds
    .filter((asked) => asked.length > 0)
    .map((asked) =>
      at(
        asked.map(({ ms, bytes }) => (perMegabyte ? ms / (bytes / MB) : ms)),
        0.95,
      ),
    );
  return Math.min(...p95s);
}

/** The value below which this share of them is; 0 of none. */
function at(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? 0;
}

interface Ratio {
  readonly of: 'time' | 'memory';
  readonly words: string;
  readonly ratio: number;
}

function ratiosOf(base: Measured, grown: Measured): Ratio[] {
  const times = Object.entries(grown.p95).map(([step, ms]): Ratio => {
    const before = base.p95[step] ?? 0;
    const floor = PER_MEGABYTE.has(step) ? Number.MIN_VALUE : FLOOR_MS;
    return {
      of: 'time',
      words: `${step} at ${grown.scale}x: p95 ${shown(step, ms)}, before ${shown(step, before)}`,
      ratio: Math.max(ms, floor) / Math.max(before, floor),
    };
  });
  const [before, after] = [base, grown].map(({ boxes }) => boxes['api']?.neededPeakBytes ?? 0) as [number, number];
  const words = `peak memory of the api at ${grown.scale}x: ${round(after / MB)} MB, before ${round(before / MB)} MB`;
  return [...times, { of: 'memory', words, ratio: after / before }];
}

const shown = (step: string, ms: number) => `${round(ms)} ms${PER_MEGABYTE.has(step) ? ' per MB' : ''}`;

/** All that was measured, for whoever wants to see more than the worst. */
function timesOf(measured: readonly Measured[]): Record<string, string> {
  const steps = Object.keys(STEPS).map((step) => [
    step,
    measured.map(({ scale, p95 }) => `${scale}x ${shown(step, p95[step] ?? 0)}`).join(', '),
  ]);
  return Object.fromEntries(steps);
}
