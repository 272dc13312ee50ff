/**
 * What it is: how fast the generator is itself, measured before it measures anything else.
 * What fails without it: at some rate the generator is the bottleneck, and its own queue is reported as the product's.
 * How it works: steps against a null server, up to the highest that the generator holds with time to spare.
 * What it costs: a few seconds per run. Its bound: ELU_MAX, LATE_START_P99_MS_MAX, CALIBRATION_FACTOR_MIN.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { LoadFigures, RunResult } from '../types.ts';
import { CALIBRATION_FACTOR_MIN, ELU_MAX, LATE_START_P99_MS_MAX, WORKER_START_MS } from './limits.ts';
import type { FixedRequest } from './plan.ts';
import { startLoad } from './start-load.ts';

export type Calibration = RunResult['calibration'];

export interface CalibrationOptions {
  readonly fromPerSecond?: number;
  readonly toPerSecond?: number;
  readonly stepSeconds?: number;
}

const STEP_FACTOR = 2;
const ACHIEVED_MIN = 0.98;
const STEP_TRIES = 3; // a neighbour's second of work is not the generator's limit

/** The highest step that the generator holds, doubling from `fromPerSecond`; 0 when not even the first. */
export async function calibrate(options: CalibrationOptions = {}): Promise<Calibration> {
  const { fromPerSecond = 1_500, toPerSecond = 12_000, stepSeconds = 2 } = options;
  const nullServer = await startNullServer();
  let held: Calibration = { nullServerPerSecond: 0, elu: 0 };
  try {
    for (let perSecond = fromPerSecond; perSecond <= toPerSecond; perSecond = Math.round(perSecond * STEP_FACTOR)) {
      const figures = await firstThatHolds(STEP_TRIES, () => measure(nullServer.url, perSecond, stepSeconds));
      if (figures === undefined) break;
      held = { nullServerPerSecond: perSecond, elu: figures.generatorElu };
    }
    return held;
  } finally {
    nullServer.stop();
  }
}

/** Why these figures prove nothing; empty when they do. */
export function inconclusiveReasons(figures: LoadFigures, calibration: Calibration): string[] {
  const reasons: string[] = [];
  const { generatorElu, lateStartP99Ms, offeredPerSecond } = figures;
  if (generatorElu > ELU_MAX)
    reasons.push(`the generator was busy ${percent(generatorElu)} of the time, more than ${percent(ELU_MAX)}`);
  if (lateStartP99Ms > LATE_START_P99_MS_MAX)
    reasons.push(
      `the generator started 1 % of its requests more than ${lateStartP99Ms.toFixed(1)} ms late; ${LATE_START_P99_MS_MAX} ms are allowed`,
    );
  const needed = offeredPerSecond * CALIBRATION_FACTOR_MIN;
  if (calibration.nullServerPerSecond < needed)
    reasons.push(
      `the generator holds ${Math.round(calibration.nullServerPerSecond)} requests a second against a null server, less than ${CALIBRATION_FACTOR_MIN} times the ${Math.round(offeredPerSecond)} measured here`,
    );
  return reasons;
}

export async function startNullServer(): Promise<{ url: string; stop(): void }> {
  const child = fork(new URL('./null-server.ts', import.meta.url), {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return { url: await addressOf(child), stop: () => void child.kill() };
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`The null server did not start within ${WORKER_START_MS} ms.`));
    }, WORKER_START_MS);
    child.once('exit', (code) => reject(new Error(`The null server ended with ${code}.`)));
    child.once('message', ({ url }: { url: string }) => {
      clearTimeout(timer);
      resolve(url);
    });
  });
}

const NULL_REQUEST: FixedRequest = {
  route: 'GET /null',
  method: 'GET',
  path: '/null',
  expect: [200],
  check: { name: 'page', args: { limit: 50 } },
};

function measure(url: string, perSecond: number, seconds: number): Promise<LoadFigures> {
  return startLoad({
    kind: 'open-loop',
    url,
    // Connections and code are warm before the first request counts.
    phases: [{ seconds: seconds + 1, perSecond }],
    warmUpSeconds: 1,
    arrivals: 'constant',
    seed: 1,
    requests: [NULL_REQUEST],
    connections: 64,
  }).figures;
}

/** The first try that holds; undefined when none does. */
async function firstThatHolds(tries: number, measured: () => Promise<LoadFigures>): Promise<LoadFigures | undefined> {
  for (let left = tries; left > 0; left--) {
    const figures = await measured();
    if (holds(figures)) return figures;
    if (figures.generatorElu >= ELU_MAX) return undefined;
  }
  return undefined;
}

function holds({ generatorElu, lateStartP99Ms, achievedPerSecond, offeredPerSecond, failed, dropped }: LoadFigures) {
  return (
    generatorElu < ELU_MAX &&
    lateStartP99Ms < LATE_START_P99_MS_MAX &&
    achievedPerSecond >= offeredPerSecond * ACHIEVED_MIN &&
    failed + dropped === 0
  );
}

const percent = (share: number) => `${Math.round(share * 100)} %`;
