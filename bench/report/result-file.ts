import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult } from '../types.ts';

/**
 * Writes `<date>-<commit>-<profile>.json` with `scenarios` first, whole or not at all. Returns its path.
 * Two runs of one commit, profile and minute overwrite each other.
 */
export function writeResult(folder: string, run: RunResult): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${resultName(run)}.json`);
  const { scenarios, ...others } = run;
  writeFileSync(`${file}.part`, `${JSON.stringify({ scenarios, ...others }, null, 1)}\n`);
  renameSync(`${file}.part`, file);
  return file;
}

export function resultName({ startedAt, commit, profile, dirty }: RunResult): string {
  const date = startedAt.slice(0, 16).replace('T', '-').replace(':', '');
  return `${date}-${commit.slice(0, 9)}${dirty ? '-dirty' : ''}-${profile}`;
}

/** Throws with the file's name when it is no result. */
export function readResult(file: string): RunResult {
  let run: RunResult;
  try {
    run = JSON.parse(readFileSync(file, 'utf8')) as RunResult;
  } catch (cause) {
    throw new Error(`${file} cannot be read as a result of the bench: ${(cause as Error).message}`, { cause });
  }
  if (!Array.isArray(run?.scenarios) || typeof run.commit !== 'string')
    throw new Error(`${file} is no result of the bench: it has no scenarios or no commit.`);
  return run;
}
