import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { compareRuns, comparisonTable } from '../../../bench/report/compare.ts';
import { createLiveView, type LiveSample, liveLines } from '../../../bench/report/live.ts';
import { resultPage } from '../../../bench/report/page.ts';
import { linearTicks, logTicks } from '../../../bench/report/plot.ts';
import { readResult, writeResult } from '../../../bench/report/result-file.ts';
import { resultTable } from '../../../bench/report/table.ts';
import { madeUpRun, scenario } from './made-up-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'tardigrade-bench-'));
afterAll(() => rmSync(folder, { recursive: true }));

const sample: LiveSample = {
  scenario: 'baseline',
  elapsedSeconds: 10,
  dueSeconds: 60,
  boxes: { api: { usedBytes: 500 * 2 ** 20, limitBytes: 512 * 2 ** 20, cpuShare: 0.5, poolWaiting: 3 } },
  load: { perSecond: 400, p99Ms: 12, inFlight: 3, failed: 0, wrong: 1 },
};

test('a result is read back as it was written, scenarios first', () => {
  const run = madeUpRun();
  const file = writeResult(folder, run);
  expect(basename(file)).toBe('2026-11-02-0930-012345678-ci.json');
  expect(readResult(file)).toEqual(run);
  expect(readFileSync(file, 'utf8').trimStart().startsWith('{\n "scenarios"')).toBe(true);
});

test('a file that is no result is refused by name', () => {
  writeFileSync(join(folder, 'broken.json'), '{');
  writeFileSync(join(folder, 'other.json'), '{"scenarios": {}}');
  expect(() => readResult(join(folder, 'broken.json'))).toThrow(/broken\.json cannot be read/);
  expect(() => readResult(join(folder, 'other.json'))).toThrow(/other\.json is no result/);
});

test('the table tells each outcome, why, and how full each box was', () => {
  const table = resultTable(madeUpRun(), { colour: false });
  expect(table).toMatch(/^not met +│ overload/m);
  expect(table).toContain('↳ goodput fell to 71 % of the knee');
  expect(table).toContain('api 232 MB of 512 MB');
  expect(table).toContain('1 met, 1 not met, 1 inconclusive; limits enforced by cgroup v2');
});

test('the page needs nothing but itself, and says everything in words that cannot become markup', () => {
  const planted = scenario('baseline', 'not met', {}, ['<script>alert(1)</script>']);
  const page = resultPage(madeUpRun({ scenarios: [...madeUpRun().scenarios, planted] }));
  expect(page).not.toMatch(/<script|<link|https?:|url\(/);
  expect(page).not.toMatch(/NaN|undefined|Infinity/);
  expect(page.match(/<svg/g)).toHaveLength(8); // latency and throughput of two scenarios, memory of all four
});

test('ticks are round and reach beyond the highest value', () => {
  expect(linearTicks(60)).toEqual([0, 20, 40, 60]);
  expect(linearTicks(1_560)).toEqual([0, 500, 1_000, 1_500, 2_000]);
  expect(logTicks(0.4, 230)).toEqual([0.1, 1, 10, 100, 1_000]);
});

test('two runs side by side: what changed, by how much, and what the code alone decides', () => {
  const before = madeUpRun();
  const [first, ...others] = madeUpRun().scenarios;
  if (first === undefined) throw new Error('the run has no scenarios');
  const changed = { ...first, figures: { ...first.figures, queriesPerRequest: 3.1875 } };
  const after = madeUpRun({ scenarios: [changed, ...others.slice(0, 1)], commit: 'f'.repeat(40) });
  const deltas = compareRuns(before, after);
  const queries = deltas.find((delta) => delta.scenario === 'baseline' && delta.figure === 'queriesPerRequest');
  expect(queries).toMatchObject({ before: 2.125, after: 3.1875, change: 0.5, isCounter: true });
  expect(deltas.find((delta) => delta.figure === 'p99Ms')).toMatchObject({ isCounter: false });
  const table = comparisonTable(deltas, { all: false, colour: false });
  expect(table).toMatch(/\* queries per request\s+2\.13\s+3\.19\s+\+50\.0 %/);
  expect(table).toMatch(/storm\n\s+outcome\s+inconclusive\s+none/);
});

test('the live view redraws in place on a terminal and fits its width', () => {
  const written: string[] = [];
  const view = createLiveView({ isTTY: true, columns: 60, write: (text) => written.push(text) });
  view.show(sample);
  view.show(sample);
  view.say('api restarted');
  view.end();
  expect(written.filter((text) => text === '\x1b[3A\x1b[J')).toHaveLength(3);
  expect(written).toContain('api restarted\n');
  const esc = String.fromCharCode(27);
  for (const line of liveLines(sample, 60))
    expect(line.replaceAll(`${esc}[31m`, '').replaceAll(`${esc}[39m`, '').length).toBeLessThanOrEqual(60);
  expect(liveLines(sample, 120).join('\n')).toContain('3 wait for a connection');
});

test('without a terminal it is a line every few seconds', () => {
  const written: string[] = [];
  const view = createLiveView({ write: (text) => written.push(text) });
  for (let elapsedSeconds = 1; elapsedSeconds <= 12; elapsedSeconds++) view.show({ ...sample, elapsedSeconds });
  expect(written).toHaveLength(3);
  expect(written[0]).toBe('baseline 1 s · 400/s, p99 12 ms, 3 in flight, 1 WRONG · api 500 MB\n');
});
