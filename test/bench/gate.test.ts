import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compareWithBudgets } from '../../bench/counters/budgets.ts';
import { gateFaults, NEEDED_BYTES_MAX } from '../../bench/gate.ts';
import { leak } from '../../bench/planted-faults/leak.ts';
import { plant } from '../../bench/planted-faults/planted-fault.ts';
import { growth } from '../../bench/scenarios/soak.ts';
import type { BoxFigures, ScenarioResult } from '../../bench/types.ts';
import { scenario } from './report/made-up-run.ts';

const MB = 1024 * 1024;

test('a sound run passes', () => {
  expect(faultsOf(sound())).toEqual([]);
});

test.each<[string, Partial<ScenarioResult>, RegExp]>([
  ['an OOM kill', { boxes: boxes({ oomKills: 2 }) }, /^ramp: the kernel killed 2 in api/],
  [
    'memory over the line',
    { boxes: boxes({ neededPeakBytes: NEEDED_BYTES_MAX + MB }) },
    /^ramp: api needed 401 MB, more than 400/,
  ],
  ['lost records', { figures: { lost: 3 } }, /^ramp: 3 acknowledged writes lost/],
  ['wrong answers', { figures: { wrong: 1 } }, /^ramp: 1 wrong answers/],
  [
    'a leak',
    {
      name: 'soak',
      outcome: 'not met',
      figures: { leaking: 1 },
      reasons: ['not so: memory of api grows by less than 64 MB (90 MB)', 'not so: p99'],
    },
    /^soak: not so: memory of api grows by less than 64 MB \(90 MB\)$/,
  ],
  [
    'a counter that grew',
    {
      name: 'counters',
      gates: true,
      outcome: 'not met',
      reasons: ['not so: GET /api/v1/me: queries within its budget of 1 (2)'],
    },
    /^counters: not so: GET \/api\/v1\/me/,
  ],
  [
    'a gating line not met',
    { name: 'baseline', gates: true, outcome: 'not met', reasons: ['p99 too high'] },
    /^baseline: p99 too high/,
  ],
])('%s alone makes it fail, and is named', (_what, change, said) => {
  expect(faultsOf({ ...sound(), ...change })).toEqual([expect.stringMatching(said)]);
});

test('a line that does not gate may be missed, and so may the memory line of one nano', () => {
  expect(faultsOf({ ...sound(), outcome: 'not met', reasons: ['slow'] })).toEqual([]);
  const full = boxes({ neededPeakBytes: NEEDED_BYTES_MAX + MB });
  expect(faultsOf({ ...sound(), name: 'one-nano', boxes: full })).toEqual([]);
});

test('a gating scenario that proves nothing makes it fail, and says why; the others may be inconclusive', () => {
  const reasons = ['the generator was busy 81 % of the time, more than 70 %'];
  expect(faultsOf({ ...sound(), name: 'baseline', gates: true, outcome: 'inconclusive', reasons })).toEqual([
    'baseline: inconclusive, so this run proves nothing of it: the generator was busy 81 % of the time, more than 70 %',
  ]);
  expect(faultsOf({ ...sound(), outcome: 'inconclusive', reasons })).toEqual([]);
});

test('inconclusive for want of a limit is what --soft asks for; for another reason it is not', () => {
  const baseline: ScenarioResult = {
    ...sound(),
    name: 'baseline',
    gates: true,
    outcome: 'inconclusive',
    reasons: ['why'],
  };
  expect(gateFaults({ scenarios: [baseline], enforcedBy: 'none' }, [], true)).toEqual([]);
  expect(gateFaults({ scenarios: [baseline], enforcedBy: 'cgroup v2' }, [], true)).toHaveLength(1);
});

test('a route that nobody loads makes it fail', () => {
  const run = { scenarios: [sound()], enforcedBy: 'cgroup v2' };
  expect(gateFaults(run, ['GET /api/v1/me'], false)).toEqual(['no scenario loads GET /api/v1/me']);
});

test('without an enforced limit there is no proof, unless that was asked for', () => {
  const run = { scenarios: [sound()], enforcedBy: 'none' };
  expect(gateFaults(run, [], false)).toEqual([expect.stringMatching(/nothing enforced a limit/)]);
  expect(gateFaults(run, [], true)).toEqual([]);
});

test('statements may not grow at all, rows and bytes by a quarter, and nothing goes uncounted', () => {
  const budgets = { 'a: queries': 2, 'a: rows': 100, 'a: bytes': 1_000 };
  expect(compareWithBudgets({ 'a: queries': 2, 'a: rows': 125, 'a: bytes': 1_250 }, budgets).grown).toEqual([]);
  expect(compareWithBudgets({ 'a: queries': 3, 'a: rows': 126, 'a: bytes': 1_251 }, budgets).grown).toHaveLength(3);
  expect(compareWithBudgets({ ...budgets, 'b: queries': 1 }, budgets).grown).toEqual([
    expect.stringMatching(/^b: queries has a budget \(it is 1\)/),
  ]);
  expect(compareWithBudgets({}, { 'a: queries': 2 }).grown).toEqual([
    expect.stringMatching(/^a: queries is counted, as it has a budget/),
  ]);
  expect(compareWithBudgets({ 'a: queries': 1 }, { 'a: queries': 2 })).toEqual({
    grown: [],
    shrunk: ['a: queries: 1, budget 2'],
  });
});

test('one tide of the heap is not growth', () => {
  const flat = Array.from({ length: 20 }, (_, at) => [at, 200 * MB] as const);
  expect(growth(flat.map(([at, bytes]) => [at, at === 19 ? bytes + 90 * MB : bytes]))).toBe(0);
  expect(growth(flat.map(([at, bytes]) => [at, bytes + at * 5 * MB]))).toBe(80 * MB);
});

test('a planted fault whose place is gone is an error, not a fault that does nothing', () => {
  expect(() => plant('somebody has tidied up', leak)).toThrow(/leak looks for this in src\/http\/read-own-writes.ts/);
});

function sound(): ScenarioResult {
  return { ...scenario('ramp', 'met', {}), boxes: boxes({}), figures: {} };
}

function boxes(change: Partial<BoxFigures>): Record<string, BoxFigures> {
  const { api } = scenario('ramp', 'met', {}).boxes;
  return { api: { ...(api as BoxFigures), neededPeakBytes: 200 * MB, oomKills: 0, ...change } };
}

function faultsOf(result: ScenarioResult): string[] {
  return gateFaults({ scenarios: [result], enforcedBy: 'cgroup v2' }, [], false);
}

test('the planted leak still finds its place in the code', () => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', leak.file), 'utf8');
  expect(plant(text, leak)).not.toBe(text);
});
