import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { appendToHistory, HISTORY_RUNS_MAX, historyEntryOf, readHistory } from '../../../bench/report/history.ts';
import { resultPage } from '../../../bench/report/page.ts';
import { COMMENT_MARK, summaryOf } from '../../../bench/report/summary.ts';
import type { RunResult } from '../../../bench/types.ts';

const MB = 1024 * 1024;

function run(change: Partial<RunResult> = {}, figures: Record<string, number> = {}, neededMb = 200): RunResult {
  const box = {
    limitBytes: 512 * MB,
    peakBytes: 400 * MB,
    neededPeakBytes: neededMb * MB,
    cpuSeconds: 1,
    throttledSeconds: 0,
    oomKills: 0,
  };
  const scenario = {
    name: 'counters',
    promise: 'counters',
    line: 'nothing costs more',
    outcome: 'met' as const,
    pass: true,
    reasons: [],
    figures: { counted: 2, 'GET /api/v1/me: queries': 1, ...figures },
    boxes: { api: box },
    covers: [],
    seconds: 10,
  };
  return {
    scenarios: [scenario],
    startedAt: '2026-11-25T10:00:00.000Z',
    profile: 'ci',
    layout: 'nano-each',
    commit: 'aaaaaaaaaaaa',
    dirty: false,
    versions: {},
    machine: {},
    enforcedBy: 'cgroup v2',
    calibration: { nullServerPerSecond: 1, elu: 0 },
    seed: { scale: 1 },
    seconds: 300,
    faults: [],
    ...change,
  };
}

function historyFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bench-history-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'history.jsonl');
}

test('the comment begins with the mark by which an earlier one is found, and says whether the gate passed', () => {
  expect(summaryOf(run(), undefined, undefined)).toMatch(new RegExp(`^${COMMENT_MARK}\n### bench:nano passed\n`));
  const failed = summaryOf(run({ faults: ['soak: memory of api grew'] }), undefined, undefined);
  expect(failed).toContain('### bench:nano failed');
  expect(failed).toContain('- soak: memory of api grew');
});

test('counters that differ from the base are listed with both values, those that do not are left out', () => {
  const base = historyEntryOf(run({ commit: 'bbbbbbbbbbbb' }, { 'GET /api/v1/me: rows': 1 }));
  const text = summaryOf(run({}, { 'GET /api/v1/me: rows': 51 }), base, undefined);
  expect(text).toContain('| GET /api/v1/me: rows | 1 | 51 |');
  expect(text).not.toContain('GET /api/v1/me: queries |');
  expect(text).toContain('changed against bbbbbbbbb');
});

test('memory is listed when it moved by more than the run-to-run noise', () => {
  const base = historyEntryOf(run({ commit: 'bbbbbbbbbbbb' }, {}, 200));
  expect(summaryOf(run({}, {}, 204), base, undefined)).toContain('No counter changed');
  expect(summaryOf(run({}, {}, 260), base, undefined)).toContain('| memory of api | 200 MB | 260 MB |');
});

test('the history keeps a run once per commit, and no more runs than it has room for', () => {
  const file = historyFile();
  for (let nth = 0; nth < HISTORY_RUNS_MAX + 2; nth++)
    appendToHistory(file, historyEntryOf(run({ commit: `commit-${nth}` })));
  appendToHistory(file, historyEntryOf(run({ commit: 'commit-3' }, { 'GET /api/v1/me: queries': 9 })));
  const history = readHistory(file);
  expect(history).toHaveLength(HISTORY_RUNS_MAX);
  expect(history.at(-1)).toMatchObject({ commit: 'commit-3', counters: { 'GET /api/v1/me: queries': 9 } });
  expect(history.filter(({ commit }) => commit === 'commit-3')).toHaveLength(1);
  expect(history.some(({ commit }) => commit === 'commit-0')).toBe(false);
});

test('the page shows the history once there are two runs to draw a line between', () => {
  const entries = [historyEntryOf(run({ commit: 'b' })), historyEntryOf(run())];
  expect(resultPage(run(), entries)).toContain('Run after run');
  expect(resultPage(run(), entries.slice(1))).not.toContain('Run after run');
});
