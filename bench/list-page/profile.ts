import { existsSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { sum } from '../numbers.ts';
import type { Contestant } from './arrange.ts';
import { type CpuProfile, layersOf } from './layers.ts';
import { measure } from './measure.ts';
import { addUpByName, perAnswer } from './processes.ts';

export interface Profiled {
  readonly profile: CpuProfile;
  readonly answers: number;
}

const WRITTEN_MS_MAX = 20_000;
const POLL_MS = 50;

/** A CPU profile of a contestant that answers for some seconds. */
export async function profileOf({ pid, profile: file, ...contestant }: Contestant, seconds: number): Promise<Profiled> {
  if (file === undefined) throw new Error('This one was not started to be profiled.');
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  const { answers } = await measure(contestant, seconds);
  process.kill(pid, 'SIGUSR2');
  const until = performance.now() + WRITTEN_MS_MAX;
  while (!existsSync(file)) {
    if (performance.now() > until) throw new Error(`${file} was not written.`);
    await delay(POLL_MS);
  }
  return { profile: JSON.parse(readFileSync(file, 'utf8')) as CpuProfile, answers };
}

/** Microseconds per request, by layer. */
export function layersPerRequest(all: readonly Profiled[]): Map<string, number> {
  const layers = addUpByName(all.map(({ profile }) => layersOf(profile)));
  return perAnswer(layers, sum(all.map(({ answers }) => answers)));
}
