/**
 * What a branch's runs were like: counters and memory of each, a JSON line per run, oldest first. Only figures that a
 * commit decides are kept, so that two runs can be compared although the machine was another one.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { RunResult } from '../types.ts';
import { COUNTER } from './compare.ts';

/** About two years of a run every working day. */
export const HISTORY_RUNS_MAX = 500;

export interface HistoryEntry {
  readonly commit: string;
  /** ISO 8601. */
  readonly at: string;
  /** `GET /api/v1/me: queries`, …: figures that the code alone decides. */
  readonly counters: Readonly<Record<string, number>>;
  /** The most that each box needed in any scenario, in bytes. */
  readonly memory: Readonly<Record<string, number>>;
}

export function historyEntryOf({ commit, startedAt, scenarios }: RunResult): HistoryEntry {
  const counters: Record<string, number> = {};
  const memory: Record<string, number> = {};
  for (const { name, figures, boxes } of scenarios) {
    for (const [figure, value] of Object.entries(figures)) {
      if (typeof value !== 'number' || !COUNTER.test(figure)) continue;
      counters[figure.includes(':') ? figure : `${name}: ${figure}`] = value;
    }
    for (const [box, { neededPeakBytes }] of Object.entries(boxes))
      memory[box] = Math.max(memory[box] ?? 0, neededPeakBytes);
  }
  return { commit, at: startedAt, counters, memory };
}

/** Empty for a file that does not exist yet. */
export function readHistory(file: string): HistoryEntry[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as HistoryEntry);
}

/** A second run of one commit replaces the first. Returns the history as it is then. */
export function appendToHistory(file: string, entry: HistoryEntry): HistoryEntry[] {
  const others = readHistory(file).filter(({ commit }) => commit !== entry.commit);
  const history = [...others, entry].slice(-HISTORY_RUNS_MAX);
  writeFileSync(file, history.map((one) => `${JSON.stringify(one)}\n`).join(''));
  return history;
}
